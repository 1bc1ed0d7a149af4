import { defaultSyncLimits } from '@airlock/pipeline';
import { type BundleReference, type InspectionResult, PlatformError } from '@airlock/protocol';
import { formatTraceparent, newTrace } from '@airlock/telemetry';
import { newToken, type WorkerBus } from './worker-bus.ts';

export interface InspectionOptions {
  readonly bus: WorkerBus;
  readonly pool: string;
  readonly organizationId: string;
  readonly workerWaitMs: number;
}

/** An upload is loaded where it will run: in a sandbox. The dispatcher never parses a bundle. Throws `PlatformError` when no worker can. */
export async function inspectBundle(
  { bus, pool, organizationId, workerWaitMs }: InspectionOptions,
  bundle: BundleReference,
): Promise<InspectionResult> {
  const token = newToken();
  const trace = newTrace();
  const end = await bus.run({
    pool,
    depth: 1,
    digest: bundle.digest,
    digests: [bundle.digest],
    envelope: { kind: 'inspect', organizationId, token, traceparent: formatTraceparent(trace), bundle, limits: defaultSyncLimits },
    lines: [],
    waitMs: workerWaitMs,
    budgetMs: defaultSyncLimits.wallMs,
    executions: new Map([['inspection', token]]),
    onCall: () => Promise.reject(new Error('a bundle that loads makes no service calls')),
  });
  const step = `inspection of ${bundle.name}`;
  const reference = trace.traceId.slice(0, 8);
  if (end.kind === 'no-worker') throw new PlatformError('WORKER_UNAVAILABLE', { pool, step, ...end, reference });
  if (end.kind !== 'replied' || end.reply.kind !== 'inspected') throw new PlatformError('WORKER_LOST', { step, reference });
  return end.reply;
}
