import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { renderNatsConfiguration } from '@airlock/nats/configuration';
import { type ManagedProcess, startProcess } from './managed-process.ts';
import type { NatsAccess } from './nats-access.ts';
import { preferPort } from './ports.ts';

const READY_WITHIN_MS = 15_000;
const START_TRIES = 5;

export interface NatsOptions {
  readonly binary: string;
  readonly directory: string;
  /** The port to use when it is free. */
  readonly preferredPort?: number;
  readonly serverName?: string;
  /** Who may speak; see `makeNatsAccess`. */
  readonly access?: NatsAccess;
}

export interface LocalNats extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly process: ManagedProcess;
  stop(): Promise<void>;
}

/** Without a list of keys whoever reaches the loopback address may speak: for measuring the bare server, not for Airlock. */
function configurationOf(port: number, serverName: string, access: NatsAccess | undefined): string {
  const address = { host: '127.0.0.1', port, serverName };
  return access === undefined ? `host: "127.0.0.1"\nport: ${port}\n` : renderNatsConfiguration({ ...address, ...access.configuration });
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

export async function startNatsServer({ binary, directory, preferredPort, serverName = 'airlock-local', access }: NatsOptions): Promise<LocalNats> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let problem = '';
  for (let attempt = 0; attempt < START_TRIES; attempt++) {
    const port = await preferPort(preferredPort);
    const file = join(directory, 'nats-server.conf');
    await writeFile(file, configurationOf(port, serverName, access), { mode: 0o600 });
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
