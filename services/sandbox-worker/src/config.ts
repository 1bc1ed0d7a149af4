import { z } from 'zod';
import { LAYER_NAMES } from './layers/layer.ts';
import type { LayerPolicy } from './layers/require-layers.ts';

const flag = z.enum(['0', '1', 'true', 'false']).transform((value) => value === '1' || value === 'true');
const token = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'may hold letters, digits, _ and -, at most 64');

const layerList = z
  .string()
  .default('')
  .transform((text) => text.split(',').filter((name) => name !== ''))
  .pipe(z.array(z.enum(LAYER_NAMES)));

const Environment = z.strictObject({
  NATS_URL: z.string().min(1).default('nats://127.0.0.1:4222'),
  /** Path of a credentials file (nkey and JWT) for the bus; none: the URL's own, if any. */
  AIRLOCK_NATS_CREDENTIALS: z.string().min(1).optional(),
  /** Seed of the worker's nkey, and the authority and certificate for `tls://`. */
  AIRLOCK_NATS_NKEY_FILE: z.string().min(1).optional(),
  AIRLOCK_NATS_CA_FILE: z.string().min(1).optional(),
  AIRLOCK_NATS_CERT_FILE: z.string().min(1).optional(),
  AIRLOCK_NATS_KEY_FILE: z.string().min(1).optional(),
  AIRLOCK_POOL: token.default('default'),
  AIRLOCK_WORKER_ID: token.optional(),
  /** Slots per depth level. */
  AIRLOCK_CAPACITY: z.coerce.number().int().min(1).max(1_024).optional(),
  AIRLOCK_JITLESS: flag.default(false),
  /** Lets bundles that declare themselves stateless run in an isolate that ran before. */
  AIRLOCK_ALLOW_REUSE: flag.default(true),
  AIRLOCK_BUNDLE_CACHE_DIR: z.string().min(1).optional(),
  /** The bubblewrap to use; else the one on the path. */
  AIRLOCK_BWRAP: z.string().min(1).optional(),
  /** Layers without which the worker must not start, by name. */
  AIRLOCK_REQUIRE_LAYERS: layerList,
  /** The pool runs plug-ins of several organizations: it needs the layers of the operating system. */
  AIRLOCK_SHARED_POOL: flag.default(false),
  /** What a pool may be without all the same, by name. */
  AIRLOCK_ALLOW_WITHOUT: layerList,
  AIRLOCK_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** How long SIGTERM waits for what runs. */
  AIRLOCK_DRAIN_MS: z.coerce.number().int().min(0).max(600_000).default(30_000),
});

/** Paths, not contents: they are read where the connection is made. */
export interface NatsFiles {
  readonly nkey: string | undefined;
  /** nkey and JWT in one file, for servers in operator mode. */
  readonly credentials: string | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export interface Config {
  readonly natsUrl: string;
  readonly natsFiles: NatsFiles;
  readonly pool: string;
  readonly workerId: string;
  readonly capacity: number;
  readonly jitless: boolean;
  readonly allowReuse: boolean;
  readonly bundleCacheDir: string | undefined;
  readonly bwrap: string | undefined;
  readonly layerPolicy: LayerPolicy;
  readonly logLevel: string;
  readonly drainMs: number;
}

/** Throws with every problem at once. A variable that nobody reads is a typo, so an unknown `AIRLOCK_` name is one of them. */
export function parseConfig(
  env: Readonly<Record<string, string | undefined>>,
  machine: { readonly cpus: number; readonly randomId: string },
): Config {
  const ours = Object.entries(env).filter(([name]) => name === 'NATS_URL' || name.startsWith('AIRLOCK_'));
  const parsed = Environment.safeParse(Object.fromEntries(ours));
  if (!parsed.success) throw new Error(`the environment is not valid:\n${z.prettifyError(parsed.error)}`);
  const vars = parsed.data;
  return Object.freeze({
    natsUrl: vars.NATS_URL,
    natsFiles: {
      nkey: vars.AIRLOCK_NATS_NKEY_FILE,
      credentials: vars.AIRLOCK_NATS_CREDENTIALS,
      ca: vars.AIRLOCK_NATS_CA_FILE,
      cert: vars.AIRLOCK_NATS_CERT_FILE,
      key: vars.AIRLOCK_NATS_KEY_FILE,
    },
    pool: vars.AIRLOCK_POOL,
    workerId: vars.AIRLOCK_WORKER_ID ?? machine.randomId,
    capacity: vars.AIRLOCK_CAPACITY ?? Math.max(2, machine.cpus),
    jitless: vars.AIRLOCK_JITLESS,
    allowReuse: vars.AIRLOCK_ALLOW_REUSE,
    bundleCacheDir: vars.AIRLOCK_BUNDLE_CACHE_DIR,
    bwrap: vars.AIRLOCK_BWRAP,
    layerPolicy: {
      shared: vars.AIRLOCK_SHARED_POOL,
      required: vars.AIRLOCK_REQUIRE_LAYERS,
      allowWithout: vars.AIRLOCK_ALLOW_WITHOUT,
    },
    logLevel: vars.AIRLOCK_LOG_LEVEL,
    drainMs: vars.AIRLOCK_DRAIN_MS,
  });
}
