import { z } from 'zod';

const token = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'may hold letters, digits, _ and -, at most 64');
const whole = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);

const Environment = z.strictObject({
  DATABASE_URL: z.string().min(1),
  NATS_URL: z.string().min(1).default('nats://127.0.0.1:4222'),
  /** Seed of the dispatcher's nkey, and the authority and certificate for `tls://`. */
  AIRLOCK_NATS_NKEY_FILE: z.string().min(1).optional(),
  AIRLOCK_NATS_CA_FILE: z.string().min(1).optional(),
  AIRLOCK_NATS_CERT_FILE: z.string().min(1).optional(),
  AIRLOCK_NATS_KEY_FILE: z.string().min(1).optional(),
  /** File with the master key of secrets, 32 bytes as base64; without it no secure configuration can be set or used. */
  AIRLOCK_MASTER_KEY_FILE: z.string().min(1).optional(),
  AIRLOCK_HTTP_HOST: z.string().min(1).default('127.0.0.1'),
  /** 0: any free port; the ready line says which. */
  AIRLOCK_HTTP_PORT: whole(0, 65_535).default(4500),
  /** `https://host` in links of answers, when a proxy stands in front. */
  AIRLOCK_PUBLIC_ORIGIN: z.url().optional(),
  AIRLOCK_ORGANIZATION: z.string().min(1).max(160).default('Airlock'),
  AIRLOCK_DISPATCHER_ID: token.optional(),
  /** Where sandboxed steps go. */
  AIRLOCK_POOL: token.default('default'),
  /** Operations that run at once; each holds one connection to Postgres. */
  AIRLOCK_OPERATIONS: whole(1, 1_000).default(32),
  /** Operations that may wait for their turn, and how long. */
  AIRLOCK_OPERATIONS_WAITING: whole(0, 100_000).default(512),
  AIRLOCK_OPERATIONS_WAIT_MS: whole(1, 120_000).default(10_000),
  AIRLOCK_OPERATION_MS: whole(100, 600_000).default(120_000),
  AIRLOCK_WORKER_WAIT_MS: whole(100, 120_000).default(10_000),
  /** Attempts of system jobs that this dispatcher runs at once; 0: it only queues them. */
  AIRLOCK_JOBS: whole(0, 1_000).default(32),
  /** A system job whose lease is not renewed for so long has lost its worker. */
  AIRLOCK_JOB_LEASE_MS: whole(1_000, 600_000).default(10_000),
  /** Wait before the second attempt of a system job; each further one is four times as long. */
  AIRLOCK_JOB_RETRY_MS: whole(10, 3_600_000).default(10_000),
  /** Completed system jobs are deleted after so long. */
  AIRLOCK_JOB_RETENTION_HOURS: whole(1, 87_600).default(720),
  AIRLOCK_STATEMENT_TIMEOUT_MS: whole(10, 600_000).default(30_000),
  AIRLOCK_LOCK_TIMEOUT_MS: whole(10, 600_000).default(10_000),
  AIRLOCK_TRACE_LOG_RETENTION_HOURS: whole(1, 87_600).default(24),
  AIRLOCK_RATE_PER_KEY: whole(1, 100_000_000).optional(),
  AIRLOCK_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

/** Paths, not contents: they are read where the connection is made. */
export interface NatsFiles {
  readonly nkey: string | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export type Config = Readonly<{
  databaseUrl: string;
  natsUrl: string;
  natsFiles: NatsFiles;
  masterKeyFile: string | undefined;
  httpHost: string;
  httpPort: number;
  publicOrigin: string | undefined;
  organizationName: string;
  dispatcherId: string;
  pool: string;
  operations: number;
  operationsWaiting: number;
  operationsWaitMs: number;
  operationMs: number;
  workerWaitMs: number;
  jobs: number;
  jobLeaseMs: number;
  jobRetryMs: number;
  jobRetentionHours: number;
  statementTimeoutMs: number;
  lockTimeoutMs: number;
  traceLogRetentionHours: number;
  ratePerKey: number | undefined;
  logLevel: string;
}>;

/** Throws with every problem at once. A variable that nobody reads is a typo, so an unknown `AIRLOCK_` name is one of them. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>, { randomId }: { readonly randomId: string }): Config {
  const ours = Object.entries(env).filter(([name]) => name === 'DATABASE_URL' || name === 'NATS_URL' || name.startsWith('AIRLOCK_'));
  const parsed = Environment.safeParse(Object.fromEntries(ours));
  if (!parsed.success) throw new Error(`the environment is not valid:\n${z.prettifyError(parsed.error)}`);
  const vars = parsed.data;
  return Object.freeze({
    databaseUrl: vars.DATABASE_URL,
    natsUrl: vars.NATS_URL,
    natsFiles: {
      nkey: vars.AIRLOCK_NATS_NKEY_FILE,
      ca: vars.AIRLOCK_NATS_CA_FILE,
      cert: vars.AIRLOCK_NATS_CERT_FILE,
      key: vars.AIRLOCK_NATS_KEY_FILE,
    },
    masterKeyFile: vars.AIRLOCK_MASTER_KEY_FILE,
    httpHost: vars.AIRLOCK_HTTP_HOST,
    httpPort: vars.AIRLOCK_HTTP_PORT,
    publicOrigin: vars.AIRLOCK_PUBLIC_ORIGIN,
    organizationName: vars.AIRLOCK_ORGANIZATION,
    dispatcherId: vars.AIRLOCK_DISPATCHER_ID ?? randomId,
    pool: vars.AIRLOCK_POOL,
    operations: vars.AIRLOCK_OPERATIONS,
    operationsWaiting: vars.AIRLOCK_OPERATIONS_WAITING,
    operationsWaitMs: vars.AIRLOCK_OPERATIONS_WAIT_MS,
    operationMs: vars.AIRLOCK_OPERATION_MS,
    workerWaitMs: vars.AIRLOCK_WORKER_WAIT_MS,
    jobs: vars.AIRLOCK_JOBS,
    jobLeaseMs: vars.AIRLOCK_JOB_LEASE_MS,
    jobRetryMs: vars.AIRLOCK_JOB_RETRY_MS,
    jobRetentionHours: vars.AIRLOCK_JOB_RETENTION_HOURS,
    statementTimeoutMs: vars.AIRLOCK_STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: vars.AIRLOCK_LOCK_TIMEOUT_MS,
    traceLogRetentionHours: vars.AIRLOCK_TRACE_LOG_RETENTION_HOURS,
    ratePerKey: vars.AIRLOCK_RATE_PER_KEY,
    logLevel: vars.AIRLOCK_LOG_LEVEL,
  });
}
