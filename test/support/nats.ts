import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withDirectoryLock } from '@airlock/local/directory-lock';
import { type LocalNats, startNatsServer } from '@airlock/local/nats';
import { findNatsServer } from '@airlock/local/nats-binary';

const STATE = fileURLToPath(new URL('../../.airlock/', import.meta.url));

export interface TestNats extends AsyncDisposable {
  /** Stays the same over restarts. */
  readonly url: string;
  readonly port: number;
  /** Ends the server as a crash would. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
}

/** A nats-server of its own, a real process. */
export async function startNats(): Promise<TestNats> {
  const binary = await withDirectoryLock(join(STATE, 'nats.lock'), () => findNatsServer(join(STATE, 'toolchain')));
  const directory = await mkdtemp(join(tmpdir(), 'airlock-nats-'));
  let server: LocalNats | undefined = await startNatsServer({ binary, directory });
  const { url, port } = server;
  const end = async (how: 'SIGKILL' | 'SIGTERM') => {
    const ending = server;
    server = undefined;
    ending?.process.kill(how);
    await ending?.process.exited;
  };
  return {
    url,
    port,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    start: async () => {
      server ??= await startNatsServer({ binary, directory, preferredPort: port });
      if (server.port !== port) throw new Error(`the port ${port} of the nats-server was taken while it was down`);
    },
    [Symbol.asyncDispose]: async () => {
      await end('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
