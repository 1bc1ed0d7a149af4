import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect as dial } from 'node:net';

export interface TestNatsServer extends AsyncDisposable {
  readonly url: string;
  /** Ends it and starts it again on the same port. */
  readonly restart: () => Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const ATTEMPTS = 200;
const BETWEEN_MS = 25;

async function reachable(port: number): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const answered = await new Promise<boolean>((resolve) => {
      const socket = dial(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.unref();
      socket.on('connect', () => socket.destroy());
    });
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
  throw new Error(`the nats-server did not answer on port ${port}`);
}

/** A nats-server of the test's own, from PATH. */
export async function startNatsServer(): Promise<TestNatsServer> {
  const port = await freePort();
  const start = async () => {
    const child = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    child.on('error', (error) => {
      throw new Error('nats-server is not on PATH', { cause: error });
    });
    await reachable(port);
    return child;
  };
  let child = await start();
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    restart: async () => {
      await stop();
      child = await start();
    },
    [Symbol.asyncDispose]: stop,
  };
}
