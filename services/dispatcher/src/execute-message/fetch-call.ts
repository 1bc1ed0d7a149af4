import type { Step, StepLimits, UserId } from '@airlock/pipeline';
import type { FetchCall } from '../egress/serve-fetch.ts';
import type { Operation } from './operation.ts';

export interface FetchOfStep {
  readonly step: Step;
  readonly userId: UserId;
  readonly limits: StepLimits;
  /** A guest's text. */
  readonly text: string;
  readonly leftMs: number;
  readonly signal: AbortSignal;
}

/** A request of a step's plug-in, with who it is for the grants and the ledger. */
export function fetchCallOf(op: Operation, { step, userId, limits, text, leftMs, signal }: FetchOfStep): FetchCall {
  return {
    text,
    caller: {
      stepId: step.id,
      stepName: step.name,
      bundleName: step.plugin.bundleName,
      bundleVersion: step.plugin.bundleVersion,
      userId,
      traceId: op.trace.traceId,
    },
    hostCallBytes: limits.hostCallBytes,
    leftMs,
    signal,
  };
}
