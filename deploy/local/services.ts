/** How the services are started on one machine: by `npm start`, and by the tests that drive them as processes. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { type ManagedProcess, startProcess } from './managed-process.ts';

const run = promisify(execFile);
const source = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const READY_WITHIN_MS = 60_000;
const DISPATCHER = 'services/dispatcher/src/main.ts';
const DISPATCHER_ADMIN = 'services/dispatcher/src/admin.ts';
const SANDBOX_WORKER = 'services/sandbox-worker/src/main.ts';
const EGRESS = 'services/egress/src/main.ts';

/** The line by which a service says that it may be used: `{"ready":true,"url":…}`, or the worker's log line of that meaning. */
const Ready = z.union([
  z.object({ ready: z.literal(true), url: z.string().optional() }),
  z.object({ msg: z.literal('the sandbox worker is ready'), url: z.undefined().optional() }),
]);
const Issued = z.object({ key: z.string() });

export interface ServiceOptions {
  readonly logFile?: string;
  /** Beyond what the options say; a service gets nothing of our own environment but PATH. */
  readonly env?: Readonly<Record<string, string>>;
  readonly name?: string;
  /** Seed of the service's key, where the bus asks for one. */
  readonly natsKeyFile?: string;
}

export interface DispatcherOptions extends ServiceOptions {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** 0: any free port. */
  readonly port: number;
  readonly pool: string;
}

export interface WorkerOptions extends ServiceOptions {
  readonly natsUrl: string;
  readonly pool: string;
  /** The name that its key speaks for; any, when the bus asks for no key. */
  readonly workerId?: string;
}

export interface RunningDispatcher {
  readonly url: string;
  readonly process: ManagedProcess;
}

function parseReady(line: string): z.output<typeof Ready> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return Ready.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

const startService = (
  main: string,
  fallbackName: string,
  { name = fallbackName, logFile, env, natsKeyFile }: ServiceOptions,
  own: Record<string, string>,
) =>
  startProcess({
    name,
    command: process.execPath,
    args: [...(main === SANDBOX_WORKER ? ['--no-node-snapshot'] : []), source(main)],
    env: { PATH: process.env['PATH'], ...(natsKeyFile !== undefined && { AIRLOCK_NATS_NKEY_FILE: natsKeyFile }), ...own, ...env },
    ...(logFile === undefined ? {} : { logFile }),
    stopWithinMs: 15_000,
  });

async function untilReady(process: ManagedProcess): Promise<z.output<typeof Ready>> {
  try {
    return await process.waitForLine(parseReady, { withinMs: READY_WITHIN_MS, what: 'the line {"ready":true}' });
  } catch (error) {
    await process.stop();
    throw error;
  }
}

export async function startDispatcher(options: DispatcherOptions): Promise<RunningDispatcher> {
  const process = startService(DISPATCHER, 'dispatcher', options, {
    DATABASE_URL: options.databaseUrl,
    NATS_URL: options.natsUrl,
    AIRLOCK_HTTP_PORT: String(options.port),
    AIRLOCK_POOL: options.pool,
  });
  const { url } = await untilReady(process);
  if (url === undefined) throw new Error('the dispatcher did not say its URL when it was ready');
  return { url, process };
}

export async function startWorker(options: WorkerOptions): Promise<ManagedProcess> {
  const process = startService(SANDBOX_WORKER, 'sandbox-worker', options, {
    NATS_URL: options.natsUrl,
    AIRLOCK_POOL: options.pool,
    ...(options.workerId !== undefined && { AIRLOCK_WORKER_ID: options.workerId }),
    // One machine, one person waiting for the end: what runs gets a moment, not half a minute.
    AIRLOCK_DRAIN_MS: '3000',
  });
  await untilReady(process);
  return process;
}

/** Makes the requests of plug-ins that an operator granted; the only process that reaches a network for them. */
export async function startEgress(options: ServiceOptions & { readonly natsUrl: string }): Promise<ManagedProcess> {
  const process = startService(EGRESS, 'egress', options, { NATS_URL: options.natsUrl });
  await untilReady(process);
  return process;
}

/** Makes the first operator, or a new key for it, with nothing but access to the database. */
export async function bootstrapOperator(databaseUrl: string): Promise<string> {
  const { stdout } = await run(process.execPath, [source(DISPATCHER_ADMIN), 'bootstrap-operator'], {
    env: { PATH: process.env['PATH'], DATABASE_URL: databaseUrl },
    timeout: 60_000,
  });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  return Issued.parse(JSON.parse(last)).key;
}
