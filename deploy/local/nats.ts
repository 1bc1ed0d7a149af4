import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ManagedProcess, startProcess } from './managed-process.ts';
import { preferPort } from './ports.ts';

const READY_WITHIN_MS = 15_000;
const START_TRIES = 5;

export interface NatsConfig {
  readonly port: number;
  readonly serverName: string;
  /** Accounts and permissions; none yet: whoever reaches the loopback address may speak. */
  readonly authorization?: string;
}

export interface NatsOptions {
  readonly binary: string;
  readonly directory: string;
  /** The port to use when it is free. */
  readonly preferredPort?: number;
  readonly serverName?: string;
}

export interface LocalNats extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly process: ManagedProcess;
  stop(): Promise<void>;
}

/** The server's configuration file, from the template that deployments use too. */
export async function renderNatsConfig({ port, serverName, authorization = '' }: NatsConfig): Promise<string> {
  const template = await readFile(new URL('../nats/nats-server.conf', import.meta.url), 'utf8');
  const values: Readonly<Record<string, string>> = { port: String(port), serverName: JSON.stringify(serverName), authorization };
  return template.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => values[name] ?? whole);
}

/** A server greets each connection with INFO; until then it is not up. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => end(false));
    socket.once('error', () => end(false));
    socket.once('data', (chunk) => end(chunk.toString('latin1').startsWith('INFO ')));
  });
}

async function waitUntilReady(server: ManagedProcess, port: number): Promise<boolean> {
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  for (const until = Date.now() + READY_WITHIN_MS; Date.now() < until; await delay(20)) {
    if (ended) return false;
    if (await greets(port)) return !ended;
  }
  await server.stop();
  return false;
}

export async function startNatsServer({ binary, directory, preferredPort, serverName = 'airlock-local' }: NatsOptions): Promise<LocalNats> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let problem = '';
  for (let attempt = 0; attempt < START_TRIES; attempt++) {
    const port = await preferPort(preferredPort);
    const file = join(directory, 'nats-server.conf');
    await writeFile(file, await renderNatsConfig({ port, serverName }), { mode: 0o600 });
    const server = startProcess({
      name: 'nats-server',
      command: binary,
      args: ['--config', file],
      env: { PATH: process.env['PATH'] },
      logFile: join(directory, 'nats-server.log'),
      stopWithinMs: 5_000,
    });
    if (await waitUntilReady(server, port)) {
      const stop = () => server.stop();
      return { url: `nats://127.0.0.1:${port}`, port, process: server, stop, [Symbol.asyncDispose]: stop };
    }
    problem = server.lines().slice(-10).join('\n');
  }
  throw new Error(`nats-server did not start in ${directory}:\n${problem}`);
}
