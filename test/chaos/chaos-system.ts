import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pushBundle } from '@airlock/cli';
import { freePort } from '@airlock/local/ports';
import { ensureDatabase, type LocalPostgres, startPostgres } from '@airlock/local/postgres';
import { bootstrapOperator, startDispatcher, startWorker } from '@airlock/local/services';
import { descendantsOf } from '../hostile/process-tree.ts';
import { type HalfOpenProxy, startHalfOpenProxy } from '../support/half-open-proxy.ts';
import { httpClient } from '../support/http.ts';
import { startNats } from '../support/nats.ts';
import { buildSource } from '../support/plugin-bundle.ts';
import { chaosSource, chaosTables } from './plug-ins.ts';
import { type Service, type Surprises, serviceOf } from './service.ts';

const POOL = 'default';
const DATABASE = 'airlock';

/** Short clocks, so that a fault of seconds reaches each of them. */
const DISPATCHER_ENV = {
  AIRLOCK_OPERATIONS: '8',
  AIRLOCK_STATEMENT_TIMEOUT_MS: '5000',
  AIRLOCK_LOCK_TIMEOUT_MS: '3000',
  AIRLOCK_OPERATION_MS: '20000',
  AIRLOCK_WORKER_WAIT_MS: '5000',
  AIRLOCK_JOB_LEASE_MS: '4000',
  AIRLOCK_JOB_RETRY_MS: '500',
  AIRLOCK_RATE_PER_KEY: '10000000',
  AIRLOCK_LOG_LEVEL: 'warn',
};
const WORKER_ENV = { AIRLOCK_CAPACITY: '4', AIRLOCK_LOG_LEVEL: 'info' };

export interface Link {
  readonly name: string;
  readonly proxy: HalfOpenProxy;
}

/** Two of each service, servers of their own, and a cable to pull between any two that speak to each other. */
export interface ChaosSystem extends AsyncDisposable {
  readonly dispatchers: readonly (Service & { readonly url: string })[];
  readonly workers: readonly Service[];
  readonly postgres: Service;
  readonly nats: Service;
  readonly links: readonly Link[];
  readonly surprises: Surprises;
  readonly token: string;
  /** Past the cables; another one after each start of the server. */
  databaseUrl(): string;
}

interface Servers {
  readonly postgres: Service;
  readonly nats: Service;
  readonly natsKeys: { readonly dispatcher: string; readonly worker: (id: string) => string };
  readonly address: {
    readonly postgres: { readonly host: string; readonly port: number };
    readonly nats: { readonly host: string; readonly port: number };
  };
  databaseUrl(): string;
}

/** The crash of a machine: the server with all its processes, none of which may finish anything. */
function killTree(server: LocalPostgres): void {
  const { pid } = server.process;
  for (const one of [pid, ...descendantsOf(pid)]) {
    try {
      process.kill(one, 'SIGKILL');
    } catch {
      // It was gone already.
    }
  }
}

async function startServers(
  directory: string,
  workerIds: readonly string[],
  stack: AsyncDisposableStack,
  signal: AbortSignal,
  surprises: Surprises,
): Promise<Servers> {
  let server: LocalPostgres | undefined;
  const running = () => {
    if (server === undefined) throw new Error('Postgres was never started');
    return server;
  };
  const inner = serviceOf({
    name: 'postgres',
    signal,
    surprises,
    startOnce: async () => {
      server = await startPostgres({ directory: join(directory, 'postgres'), durability: 'durable', maxConnections: 200 });
      return server.process;
    },
  });
  const postgres: Service = {
    ...inner,
    get running() {
      return inner.running;
    },
    get pid() {
      return inner.pid;
    },
    kill: () => {
      if (inner.running) killTree(running());
      return inner.kill();
    },
  };
  await postgres.start();
  stack.defer(() => running().stop());
  await ensureDatabase(running(), DATABASE);
  const bus = stack.use(await startNats({ pools: [{ pool: POOL, workerIds }] }));
  const { access } = bus;
  if (access === undefined) throw new Error('the nats-server was started without keys');
  let natsRuns = true;
  const nats: Service = {
    name: 'nats-server',
    get running() {
      return natsRuns;
    },
    pid: undefined,
    kill: async () => {
      natsRuns = false;
      await bus.kill();
    },
    terminate: async () => {
      natsRuns = false;
      await bus.stop();
    },
    start: async () => {
      await bus.start();
      natsRuns = true;
    },
  };
  return {
    postgres,
    nats,
    natsKeys: { dispatcher: access.dispatcherKeyFile, worker: (id) => access.workerKeyFile(POOL, id) },
    address: {
      postgres: {
        host: '127.0.0.1',
        get port() {
          return running().port;
        },
      },
      nats: { host: '127.0.0.1', port: bus.port },
    },
    databaseUrl: () => running().urlOf(DATABASE),
  };
}

function through(url: string, { port }: HalfOpenProxy): string {
  const target = new URL(url);
  target.port = String(port);
  return target.href;
}

async function setUp(url: string, token: string): Promise<void> {
  const http = httpClient(url, token);
  for (const body of chaosTables) {
    const answer = await http.request('POST', '/api/airlock/v1/tables', { body });
    if (answer.status >= 300) throw new Error(`the table ${body.logicalName} was refused: ${JSON.stringify(answer.body)}`);
  }
  const answer = await http.request('PATCH', '/api/airlock/v1/settings', { body: { pluginTraceLogSetting: 2 } });
  if (answer.status !== 200) throw new Error(`the setting was refused: ${JSON.stringify(answer.body)}`);
  await pushBundle({ url, token, bundle: await buildSource({ name: 'chaos', version: '1.0.0', source: chaosSource }) });
}

export async function startChaosSystem(signal: AbortSignal): Promise<ChaosSystem> {
  const stack = new AsyncDisposableStack();
  try {
    const directory = await mkdtemp(join(tmpdir(), 'airlock-chaos-'));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    const surprises: Surprises = { ended: [], killed: [] };
    const workerIds = ['worker-1', 'worker-2'];
    const servers = await startServers(directory, workerIds, stack, signal, surprises);
    const links: Link[] = [];
    const link = async (name: string, to: 'postgres' | 'nats') => {
      const proxy = stack.use(await startHalfOpenProxy(servers.address[to]));
      links.push({ name: `${name} ↔ ${to}`, proxy });
      return proxy;
    };
    const dispatcher = async (name: string) => {
      const [database, bus, port] = [await link(name, 'postgres'), await link(name, 'nats'), await freePort()];
      const startOnce = async () => {
        const options = { name, port, pool: POOL, natsKeyFile: servers.natsKeys.dispatcher, env: DISPATCHER_ENV };
        return (await startDispatcher({ ...options, databaseUrl: through(servers.databaseUrl(), database), natsUrl: `nats://127.0.0.1:${bus.port}` }))
          .process;
      };
      const service = serviceOf({ name, startOnce, surprises, signal });
      await service.start();
      stack.defer(() => service.terminate());
      return withUrl(service, `http://127.0.0.1:${port}`);
    };
    const worker = async (name: string) => {
      const bus = await link(name, 'nats');
      const cache = join(directory, `bundles-${name}`);
      const startOnce = () =>
        startWorker({
          name,
          workerId: name,
          natsKeyFile: servers.natsKeys.worker(name),
          natsUrl: `nats://127.0.0.1:${bus.port}`,
          pool: POOL,
          env: { ...WORKER_ENV, AIRLOCK_BUNDLE_CACHE_DIR: cache },
        });
      const service = serviceOf({ name, startOnce, surprises, signal });
      await service.start();
      stack.defer(() => service.terminate());
      return service;
    };
    const dispatchers = [await dispatcher('dispatcher-1'), await dispatcher('dispatcher-2')];
    const workers = [await worker('worker-1'), await worker('worker-2')];
    const token = await bootstrapOperator(servers.databaseUrl());
    await setUp(dispatchers[0]?.url ?? '', token);
    const { postgres, nats, databaseUrl } = servers;
    return { dispatchers, workers, postgres, nats, links, surprises, token, databaseUrl, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Not a spread: `running` and `pid` change. */
function withUrl(service: Service, url: string): Service & { readonly url: string } {
  return Object.defineProperty(service, 'url', { value: url }) as Service & { readonly url: string };
}
