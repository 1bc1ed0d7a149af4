import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsAccessOptions } from '@airlock/local/nats-access';
import { type ManagedProcess } from '@airlock/local/process';
import { bootstrapOperator, type RunningDispatcher, startDispatcher, startEgress, startWorker } from '@airlock/local/services';
import { type HttpClient, httpClient } from './http.ts';
import { startNats, type TestNats } from './nats.ts';
import { createDatabase, type TestDatabase } from './postgres.ts';

export { startDispatcher, startWorker };

const POOL = 'default';
/** Workers that a test may have, one after the other or at once: each needs a key before the bus starts. */
const WORKER_IDS = Array.from({ length: 12 }, (_, index) => `worker-${index + 1}`);

export interface AirlockOptions {
  readonly dispatchers?: number;
  readonly workers?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly dispatcherEnv?: Readonly<Record<string, string>>;
  readonly workerEnv?: Readonly<Record<string, string>>;
  /** Start the process that makes the requests of plug-ins; its environment beside the bus. */
  readonly egressEnv?: Readonly<Record<string, string>>;
  /** Pools beside the one that the services use, for who plays a worker. */
  readonly pools?: NatsAccessOptions['pools'];
  /** An empty one to use; default: one of its own in the cluster of the test run. */
  readonly database?: TestDatabase;
}

/** A whole system of its own: database, bus, services as processes. */
export interface TestAirlock extends AsyncDisposable {
  /** Speaks to the first dispatcher with the operator's key. */
  readonly http: HttpClient;
  readonly database: TestDatabase;
  readonly nats: TestNats;
  readonly dispatchers: readonly RunningDispatcher[];
  readonly workers: readonly ManagedProcess[];
  addDispatcher(): Promise<RunningDispatcher>;
  addWorker(): Promise<ManagedProcess>;
  /** What all services wrote, for the message of a failed test. */
  logs(): string;
}

export async function startAirlock(options: AirlockOptions = {}): Promise<TestAirlock> {
  const {
    dispatchers = 1,
    workers = 1,
    env = {},
    dispatcherEnv = {},
    workerEnv = {},
    egressEnv,
    pools = [],
    database = await createDatabase(),
  } = options;
  const stack = new AsyncDisposableStack();
  try {
    stack.use(database);
    const directory = await mkdtemp(join(tmpdir(), 'airlock-test-'));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    const masterKey = join(directory, 'master.key');
    await writeFile(masterKey, randomBytes(32).toString('base64'), { mode: 0o600 });
    const nats = stack.use(await startNats({ pools: [{ pool: POOL, workerIds: WORKER_IDS }, ...pools] }));
    const runningDispatchers: RunningDispatcher[] = [];
    const runningWorkers: ManagedProcess[] = [];
    const others: ManagedProcess[] = [];
    const addDispatcher = async () => {
      const name = `dispatcher-${runningDispatchers.length + 1}`;
      const started = await startDispatcher({
        name,
        databaseUrl: database.url,
        natsUrl: nats.url,
        ...(nats.access !== undefined && { natsKeyFile: nats.access.dispatcherKeyFile }),
        port: 0,
        pool: POOL,
        env: { AIRLOCK_MASTER_KEY_FILE: masterKey, ...env, ...dispatcherEnv },
      });
      runningDispatchers.push(started);
      stack.defer(() => started.process.stop());
      return started;
    };
    const addWorker = async () => {
      const workerId = `worker-${runningWorkers.length + 1}`;
      const started = await startWorker({
        name: workerId,
        workerId,
        natsUrl: nats.url,
        ...(nats.access !== undefined && { natsKeyFile: nats.access.workerKeyFile(POOL, workerId) }),
        pool: POOL,
        env: { ...env, ...workerEnv },
      });
      runningWorkers.push(started);
      stack.defer(() => started.stop());
      return started;
    };
    // The first one migrates the database; the others find that done.
    const first = await addDispatcher();
    for (let count = 1; count < dispatchers; count++) await addDispatcher();
    for (let count = 0; count < workers; count++) await addWorker();
    if (egressEnv !== undefined) {
      const key = nats.access === undefined ? {} : { natsKeyFile: nats.access.egressKeyFile };
      const egress = await startEgress({ natsUrl: nats.url, ...key, env: { ...env, ...egressEnv } });
      stack.defer(() => egress.stop());
      others.push(egress);
    }
    const http = httpClient(first.url, await bootstrapOperator(database.url));
    return {
      http,
      database,
      nats,
      dispatchers: runningDispatchers,
      workers: runningWorkers,
      addDispatcher,
      addWorker,
      logs: () =>
        [...runningDispatchers.map((one) => one.process), ...runningWorkers, ...others]
          .map((one) => `--- ${one.name}\n${one.lines().join('\n')}`)
          .join('\n'),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
