import { z } from 'zod';

const flag = z.enum(['0', '1', 'true', 'false']).transform((value) => value === '1' || value === 'true');
const token = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'may hold letters, digits, _ and -, at most 64');

const Environment = z.strictObject({
  NATS_URL: z.string().min(1).default('nats://127.0.0.1:4222'),
  /** Seed of the egress process' own nkey, and the authority and certificate for `tls://`. */
  AIRLOCK_NATS_NKEY_FILE: z.string().min(1).optional(),
  AIRLOCK_NATS_CA_FILE: z.string().min(1).optional(),
  AIRLOCK_NATS_CERT_FILE: z.string().min(1).optional(),
  AIRLOCK_NATS_KEY_FILE: z.string().min(1).optional(),
  AIRLOCK_EGRESS_ID: token.optional(),
  /** Development and tests only: lets requests go to addresses that are not public. The health endpoint shows it. */
  AIRLOCK_EGRESS_ALLOW_PRIVATE: flag.default(false),
  /** Lets grants for plain http count. The health endpoint shows it. */
  AIRLOCK_EGRESS_ALLOW_HTTP: flag.default(false),
  /** Requests at once; more are refused. */
  AIRLOCK_EGRESS_CONCURRENCY: z.coerce.number().int().min(1).max(4_096).default(128),
  AIRLOCK_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

/** Paths, not contents: they are read where the connection is made. */
export interface NatsFiles {
  readonly nkey: string | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export interface Config {
  readonly natsUrl: string;
  readonly natsFiles: NatsFiles;
  readonly egressId: string;
  readonly allowPrivateAddresses: boolean;
  readonly allowPlainHttp: boolean;
  readonly concurrency: number;
  readonly logLevel: string;
}

/** Throws with every problem at once. A variable that nobody reads is a typo, so an unknown `AIRLOCK_` name is one of them. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>, { randomId }: { readonly randomId: string }): Config {
  const ours = Object.entries(env).filter(([name]) => name === 'NATS_URL' || name.startsWith('AIRLOCK_'));
  const parsed = Environment.safeParse(Object.fromEntries(ours));
  if (!parsed.success) throw new Error(`the environment is not valid:\n${z.prettifyError(parsed.error)}`);
  const vars = parsed.data;
  return Object.freeze({
    natsUrl: vars.NATS_URL,
    natsFiles: {
      nkey: vars.AIRLOCK_NATS_NKEY_FILE,
      ca: vars.AIRLOCK_NATS_CA_FILE,
      cert: vars.AIRLOCK_NATS_CERT_FILE,
      key: vars.AIRLOCK_NATS_KEY_FILE,
    },
    egressId: vars.AIRLOCK_EGRESS_ID ?? randomId,
    allowPrivateAddresses: vars.AIRLOCK_EGRESS_ALLOW_PRIVATE,
    allowPlainHttp: vars.AIRLOCK_EGRESS_ALLOW_HTTP,
    concurrency: vars.AIRLOCK_EGRESS_CONCURRENCY,
    logLevel: vars.AIRLOCK_LOG_LEVEL,
  });
}
