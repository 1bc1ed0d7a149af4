/** The whole system on one machine, as processes: servers, dispatcher, worker. Everything it starts, it ends. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findBwrap, TOOLCHAIN_DIRECTORY } from '@airlock/sandbox-worker/bwrap-binary';
import { call } from './api.ts';
import { type DevFile, readDevFile, writeDevFile } from './dev-file.ts';
import { tryDirectoryLock } from './directory-lock.mjs';
import { keepRunning } from './keep-running.ts';
import type { ManagedProcess } from './managed-process.ts';
import { ensureMasterKey } from './master-key.ts';
import { startNatsServer } from './nats.ts';
import { makeNatsAccess, type NatsAccess } from './nats-access.ts';
import { findNatsServer } from './nats-binary.ts';
import { isFree, preferPort } from './ports.ts';
import { ensureDatabase, startPostgres } from './postgres.ts';
import { bootstrapOperator, startDispatcher, startEgress, startWorker } from './services.ts';

const DEFAULT_PORT = 8080;
const POOL = 'default';
const WORKER_ID = 'local-1';

export interface LocalSystemOptions {
  /** Where the state is: `.airlock`. */
  readonly directory: string;
  /** Where programs are installed; shared by all states of a clone. */
  readonly toolchainDirectory: string;
  /** Exactly this port, or an error. */
  readonly port?: number;
  readonly databaseUrl?: string;
  readonly natsUrl?: string;
  /** Keys for that bus, as deploy/nats makes them; none when it asks for none. */
  readonly natsKeysDirectory?: string;
  say(text: string): void;
  onGiveUp(problem: string): void;
}

export interface LocalSystem extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
}

/** The system that runs from the directory already, if one does. */
export async function runningSystem(directory: string): Promise<{ readonly url: string; readonly token: string } | undefined> {
  const noted = await readDevFile(join(directory, 'dev.json'));
  const launcher = noted?.pids['launcher'];
  if (noted === undefined || launcher === undefined) return undefined;
  try {
    process.kill(launcher, 0);
    return { url: noted.url, token: noted.token };
  } catch {
    return undefined;
  }
}

/** A problem that the person at the terminal can solve; shown without a stack. */
export class LocalSystemError extends Error {
  override readonly name = 'LocalSystemError';
}

async function choosePort(wanted: number | undefined, previous: DevFile | undefined, say: (text: string) => void): Promise<number> {
  if (wanted !== undefined) {
    if (await isFree(wanted)) return wanted;
    throw new LocalSystemError(`The port ${wanted} is taken by another program. Leave --port away to have one chosen, or name a free one.`);
  }
  const preferred = previous === undefined ? DEFAULT_PORT : Number(new URL(previous.url).port);
  const port = await preferPort(preferred);
  if (port !== preferred) say(`the port ${preferred} is taken; using ${port}`);
  return port;
}

/** The operator's key of the last time when it still works, else a new one. */
async function signIn(url: string, databaseUrl: string, previous: DevFile | undefined): Promise<string> {
  if (previous !== undefined) {
    const answer = await call({ url, token: previous.token }, 'GET', 'WhoAmI');
    if (answer.status === 200) return previous.token;
  }
  return bootstrapOperator(databaseUrl);
}

async function startServers(options: LocalSystemOptions, stack: AsyncDisposableStack, pids: Record<string, number>) {
  const { directory, toolchainDirectory, say } = options;
  const startDatabase = async () => {
    if (options.databaseUrl !== undefined) return options.databaseUrl;
    const server = stack.use(await startPostgres({ directory: join(directory, 'postgres'), durability: 'durable' }));
    pids['postgres'] = server.process.pid;
    return ensureDatabase(server, 'airlock');
  };
  const startBus = async (): Promise<{ readonly natsUrl: string; readonly access?: NatsAccess }> => {
    const pools = [{ pool: POOL, workerIds: [WORKER_ID] }];
    if (options.natsUrl !== undefined) {
      const { natsKeysDirectory } = options;
      const keys = natsKeysDirectory === undefined ? {} : { access: await makeNatsAccess({ directory: natsKeysDirectory, pools }) };
      return { natsUrl: options.natsUrl, ...keys };
    }
    const access = await makeNatsAccess({ directory: join(directory, 'nats', 'keys'), pools });
    const binary = await findNatsServer(toolchainDirectory, say);
    const server = stack.use(await startNatsServer({ binary, directory: join(directory, 'nats'), preferredPort: 42_220, access }));
    pids['nats'] = server.process.pid;
    return { natsUrl: server.url, access };
  };
  // Both are waited for even when one fails: what is half started must be known to be ended.
  const [database, bus] = await Promise.allSettled([startDatabase(), startBus()]);
  if (database.status === 'rejected') throw database.reason;
  if (bus.status === 'rejected') throw bus.reason;
  return { databaseUrl: database.value, ...bus.value };
}

/** What a person at a terminal may set for the egress process: permissions for development, a proxy's authority. */
function egressEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = ['AIRLOCK_EGRESS_ALLOW_PRIVATE', 'AIRLOCK_EGRESS_ALLOW_HTTP', 'NODE_EXTRA_CA_CERTS'];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

export async function startLocalSystem(options: LocalSystemOptions): Promise<LocalSystem> {
  const { directory, say, onGiveUp } = options;
  const devFile = join(directory, 'dev.json');
  const previous = await readDevFile(devFile);
  const release = await tryDirectoryLock(join(directory, 'start.lock'));
  if (release === undefined)
    throw new LocalSystemError(`Airlock already runs from this directory${previous === undefined ? '' : ` at ${previous.url}`}.`);
  const stack = new AsyncDisposableStack();
  stack.defer(release);
  const pids: Record<string, number> = { launcher: process.pid };
  try {
    const logs = join(directory, 'logs');
    await mkdir(logs, { recursive: true });
    const { databaseUrl, natsUrl, access } = await startServers(options, stack, pids);
    const port = await choosePort(options.port, previous, say);
    let url = '';
    let token = '';
    const note = () => writeDevFile(devFile, { url, token, databaseUrl, natsUrl, pids });
    const service = async (name: string, start: () => Promise<ManagedProcess>) => {
      const noteStart = async () => {
        const process = await start();
        pids[name] = process.pid;
        return process;
      };
      const kept = await keepRunning({ name, start: noteStart, say, onGiveUp, onRestart: note });
      stack.defer(() => kept.stop());
    };
    await service('dispatcher', async () => {
      const key = access === undefined ? {} : { natsKeyFile: access.dispatcherKeyFile };
      const env = { AIRLOCK_MASTER_KEY_FILE: await ensureMasterKey(directory) };
      const started = await startDispatcher({ databaseUrl, natsUrl, ...key, port, pool: POOL, logFile: join(logs, 'dispatcher.log'), env });
      url = started.url;
      return started.process;
    });
    // The strongest layer around plug-ins; where it cannot be had, the worker says what it does without.
    await findBwrap(TOOLCHAIN_DIRECTORY, say);
    await service('sandbox-worker', () => {
      const identity = access === undefined ? {} : { workerId: WORKER_ID, natsKeyFile: access.workerKeyFile(POOL, WORKER_ID) };
      return startWorker({ natsUrl, pool: POOL, ...identity, logFile: join(logs, 'sandbox-worker.log') });
    });
    // Always: it costs an idle process, and a grant that is made later counts at once.
    await service('egress', () => {
      const key = access === undefined ? {} : { natsKeyFile: access.egressKeyFile };
      return startEgress({ natsUrl, ...key, env: egressEnvironment(process.env), logFile: join(logs, 'egress.log') });
    });
    token = await signIn(url, databaseUrl, previous);
    await note();
    // First of all when it ends: a tool that reads the file then knows that nothing runs.
    stack.defer(() => writeDevFile(devFile, { url, token, databaseUrl, natsUrl, pids: {} }));
    return { url, token, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
