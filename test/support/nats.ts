import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withDirectoryLock } from '@airlock/local/directory-lock';
import { type LocalNats, startNatsServer } from '@airlock/local/nats';
import { makeNatsAccess, type NatsAccess, type NatsAccessOptions } from '@airlock/local/nats-access';
import { findNatsServer } from '@airlock/local/nats-binary';

const STATE = fileURLToPath(new URL('../../.airlock/', import.meta.url));

export interface TestNats extends AsyncDisposable {
  /** Stays the same over restarts. */
  readonly url: string;
  readonly port: number;
  /** Keys of those who may speak; `undefined` when anybody may. */
  readonly access: NatsAccess | undefined;
  /** Ends the server as a crash would. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
}

/** A nats-server of its own, a real process. With `pools` it asks for keys, as `npm start` and deployments do. */
export async function startNats({ pools }: Partial<Pick<NatsAccessOptions, 'pools'>> = {}): Promise<TestNats> {
  const binary = await withDirectoryLock(join(STATE, 'nats.lock'), () => findNatsServer(join(STATE, 'toolchain')));
  const directory = await mkdtemp(join(tmpdir(), 'airlock-nats-'));
  const access = pools === undefined ? undefined : await makeNatsAccess({ directory: join(directory, 'keys'), pools });
  const options = { binary, directory, ...(access !== undefined && { access }) };
  let server: LocalNats | undefined = await startNatsServer(options);
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
    access,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    start: async () => {
      server ??= await startNatsServer({ ...options, preferredPort: port });
      if (server.port !== port) throw new Error(`the port ${port} of the nats-server was taken while it was down`);
    },
    [Symbol.asyncDispose]: async () => {
      await end('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
