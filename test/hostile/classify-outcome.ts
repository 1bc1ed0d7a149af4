import type { InspectionResult, ObservationWire } from '@airlock/protocol';
import type { HostileClass } from './case-list.ts';

/** The class of the corpus for what the worker observed; limits before the guest's account, as `pipeline/classify` has it. */
export function classOf(seen: ObservationWire): HostileClass {
  if (seen.deadlineFired) return 'timeout';
  if (seen.cpuLimitFired) return 'cpu-limit';
  if (seen.residentLimitFired || seen.heapExhausted) return 'memory-limit';
  if (seen.hostCallLimitFired) return 'unexpected-error';
  if (seen.childDied || seen.protocolViolation !== undefined) return 'crash-contained';
  if (seen.thrown === undefined) return 'ok';
  return seen.thrown !== 'unreadable' && seen.thrown.rejection !== undefined ? 'business-error' : 'unexpected-error';
}

export const GENERIC_MESSAGE = 'An unexpected error occurred from ISV code.';

/** What a user would read: the plug-in's own text only for a rejection that has one. */
export function userMessageOf(seen: ObservationWire): string {
  if (classOf(seen) !== 'business-error' || seen.thrown === undefined || seen.thrown === 'unreadable') return GENERIC_MESSAGE;
  return seen.thrown.rejection?.message || GENERIC_MESSAGE;
}

export const rejectedAtUpload = (result: InspectionResult): boolean =>
  result.broke !== undefined || result.types.length === 0 || classOf(result.observation) !== 'ok';
