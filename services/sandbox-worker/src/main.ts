import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { BUNDLE_CHUNK_BYTES, encodeFrame, HELLO_INTERVAL_MS } from '@airlock/protocol';
import { createLogger } from '@airlock/telemetry';
import { createBundleStore } from './bundles/bundle-store.ts';
import { type Bus, openBus } from './bus/bus.ts';
import { parseConfig } from './config.ts';
import { TOOLCHAIN_BWRAP } from './layers/bwrap-binary.ts';
import { closeInheritedDescriptors } from './layers/close-inherited.ts';
import { detectLayers } from './layers/layers.ts';
import { missingLayers } from './layers/require-layers.ts';
import { createBlame } from './supervisor/blame.ts';
import { buildChildImage } from './supervisor/child-image.ts';
import { createChildPool } from './supervisor/pool.ts';
import { SandboxProcess } from './supervisor/sandbox-process.ts';
import { createWatch } from './supervisor/watch.ts';
import { createWorker, type Worker } from './supervisor/worker.ts';

const BUNDLE_MEMORY_BYTES = 128 * BUNDLE_CHUNK_BYTES;
const SPARES = 2;

const config = parseConfig(process.env, { cpus: availableParallelism(), randomId: randomBytes(9).toString('base64url') });
const log = createLogger({ service: 'sandbox-worker', level: config.logLevel });
const nowMs = (): number => performance.now();
closeInheritedDescriptors();
const image = buildChildImage();
process.on('exit', () => image[Symbol.dispose]());
const { layers, tried } = detectLayers({
  searchPath: process.env['PATH'] ?? '',
  bwrap: config.bwrap,
  fallbackBwrap: TOOLCHAIN_BWRAP,
  jitless: config.jitless,
  imageDirectory: image.directory,
  arch: process.arch,
  isRoot: process.getuid?.() === 0,
});
const refusal = missingLayers(layers.names, config.layerPolicy);
if (refusal !== undefined) {
  log.fatal({ layers: layers.names, tried }, refusal);
  process.exit(1);
}
if (tried.length > 0) log.warn({ layers: layers.names, tried }, 'not every layer of the operating system is on');

const watch = createWatch(nowMs);
const pool = createChildPool({
  spawn: () => new SandboxProcess({ main: image.main, jitless: config.jitless, layers, nowMs }),
  spares: SPARES,
  maxIdle: 2 * config.capacity + SPARES,
  nowMs,
  watch,
  log,
});
const firstChild = pool.openSpares();
// Waited for below; it may fail before.
firstChild.catch(() => {});

// What was on its way when a connection broke is lost, and with it the runs that waited for it: a new connection is a new incarnation, and
// dispatchers take what they gave to the old one for lost at once instead of at its deadline.
const born = randomBytes(9).toString('base64url');
let connections = 1;
// The handlers are wired before the worker exists: nothing is heard until `openBus` has returned.
let worker: Worker | undefined;
const bus: Bus = await openBus(
  { url: config.natsUrl, files: config.natsFiles, address: { pool: config.pool, workerId: config.workerId } },
  {
    onAssign: (frame) => worker?.onAssign(frame),
    onCancel: (frame) => worker?.onCancel(frame),
    onAnswer: (frame) => worker?.onAnswer(frame),
    onReconnect: () => {
      connections += 1;
      worker?.hello();
    },
    onStatus: (status) => log.info({ status }, 'the connection to the bus changed'),
  },
);
// A worker whose sandbox processes do not start, or are not as confined as it would claim, must not ask for work.
await firstChild.catch((error: unknown) => {
  log.fatal({ err: error, layers: layers.names }, 'no sandbox process can be started');
  process.exit(1);
});
const bundles = createBundleStore({
  request: (dispatcherId, request) => bus.bundle(dispatcherId, encodeFrame([JSON.stringify(request)])),
  cacheDirectory: config.bundleCacheDir,
  memoryBytes: BUNDLE_MEMORY_BYTES,
});
worker = createWorker({
  capacity: config.capacity,
  allowReuse: config.allowReuse,
  pool,
  bundles,
  watch,
  nowMs,
  log,
  blame: createBlame({ nowMs, wallMs: Date.now }),
  identity: {
    get incarnation() {
      return `${born}.${connections}`;
    },
    layers: [...layers.names],
    jitless: config.jitless,
    nodeVersion: process.version,
    machine: hostname(),
  },
  publish: bus,
});
const heartbeat = setInterval(worker.hello, HELLO_INTERVAL_MS);
worker.hello();
log.info({ ...config, natsUrl: config.natsUrl.replace(/\/\/[^@/]*@/, '//***@'), layers: layers.names }, 'the sandbox worker is ready');

let stopping = false;
async function stop(): Promise<void> {
  // A second signal means now.
  if (stopping) process.exit(1);
  stopping = true;
  log.info({ drainMs: config.drainMs }, 'draining');
  await worker?.drain(config.drainMs);
  clearInterval(heartbeat);
  await bus.flush().catch(() => {});
  pool[Symbol.dispose]();
  await bus[Symbol.asyncDispose]();
  process.exit(0);
}
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
