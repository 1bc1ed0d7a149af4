import type { Failure } from './failure.ts';
import type { StepLimits } from './limits.ts';
import type { RunObservation } from './observation.ts';

/**
 * What the host observed → what went wrong; `undefined` when the run succeeded. "Limits before the guest's account, never by
 * message text, name or instanceof" (design §4): everything that a guest throws, it can also forge.
 */
export function classify(run: RunObservation, limits: StepLimits): Failure | undefined {
  // Ours before theirs: when the platform gave up, nothing else that was seen is the plug-in's doing.
  if (run.shuttingDown) return { origin: 'platform', kind: 'shutting-down' };
  if (run.bundleUnavailable !== undefined) return { origin: 'platform', kind: 'bundle-unavailable', detail: run.bundleUnavailable };
  if (run.throttled !== undefined) return { origin: 'platform', kind: 'throttled', detail: run.throttled };
  // A limit ends in SIGKILL, so a passed limit also looks like a dead child, and often like a broken protocol.
  if (run.deadlineFired) return { origin: 'sandbox', kind: 'deadline', limitMs: limits.wallMs };
  if (run.cpuLimitFired) return { origin: 'sandbox', kind: 'cpu', limitMs: limits.cpuMs };
  if (run.residentLimitFired) return { origin: 'sandbox', kind: 'memory', what: 'resident', limitBytes: limits.residentBytes };
  if (run.heapExhausted) return { origin: 'sandbox', kind: 'memory', what: 'heap', limitBytes: limits.heapBytes };
  if (run.hostCallLimitFired) return { origin: 'sandbox', kind: 'host-calls', limit: limits.hostCalls };
  if (run.childDied) return { origin: 'sandbox', kind: 'crash' };
  if (run.protocolViolation !== undefined) return { origin: 'sandbox', kind: 'protocol', detail: run.protocolViolation };
  return ofGuest(run);
}

function ofGuest({ thrown }: RunObservation): Failure | undefined {
  if (thrown === undefined) return undefined;
  if (thrown === 'unreadable')
    return { origin: 'sandbox', kind: 'protocol', detail: 'what the plug-in threw could not be described within its limits' };
  const { error, rejection } = thrown;
  return rejection === undefined ? { origin: 'plug-in', kind: 'unexpected', error } : { origin: 'plug-in', kind: 'rejected', rejection, error };
}
