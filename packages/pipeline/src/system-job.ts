import { type Failure, OperationStatus } from './failure.ts';
import type { Attempt } from './ids.ts';
import { Mode } from './mode.ts';
import { type RetryPolicy, retryDelayMs } from './retry-policy.ts';
import { verdict } from './verdict.ts';

/**
 * States of a system job (`asyncoperation`), and the only way from one to another.
 *
 *           commit of the operation
 *                     │
 *                     ▼          resume · retry now · time reached
 *      ┌──► WaitingForResources ◄────────────────────────────────────── Waiting 1/10
 *      │         0/0  │  └──────────────── postpone ──────────────────► retry, postponed,
 *      │              │ claim                                           paused, suspended
 *      │              ▼                                                     ▲    ▲
 *      └───────── InProgress ─── failed, one more attempt · Suspended ──────┘    │
 *    given back     2/20 │ ▲                                                     │
 *   (shutting down,      │ └─ resume ─┐                                          │
 *    no worker,          │            │                                          │
 *    throttled)          ├─ pause ──► Pausing 2/21 ── failed, one more attempt ──┘
 *                        │  postpone
 *                        ├─ cancel ─► Canceling 2/22 ── not successful ──► Canceled 3/32
 *                        ▼
 *               Succeeded 3/30 · Failed 3/31 · Canceled 3/32
 *
 *      A job that does not run goes to Canceled at once when it is cancelled.
 *
 * The three completed states are final; only then may the row be deleted. An attempt that succeeds makes the job Succeeded
 * even while it is being paused or cancelled: what it wrote is there.
 */
export type JobState = WaitingForResources | WaitingJob | RunningJob | CompletedJob;

/** `attempt` is the number of the try that comes next. */
export interface WaitingForResources {
  readonly status: 'WaitingForResources';
  readonly attempt: Attempt;
}

/** `attempt` is the number of the try that comes next. Times are milliseconds since 1970 on the database's clock. */
export type WaitingJob =
  | { readonly status: 'Waiting'; readonly attempt: Attempt; readonly why: 'retry' | 'postponed'; readonly until: number }
  | { readonly status: 'Waiting'; readonly attempt: Attempt; readonly why: 'paused' | 'suspended' };

/** `attempt` is the number of the try that runs. */
export type RunningJob =
  | { readonly status: 'InProgress' | 'Canceling'; readonly attempt: Attempt }
  /** `until`: postponed while it ran, so it waits for that time instead of for a resume. */
  | { readonly status: 'Pausing'; readonly attempt: Attempt; readonly until?: number };

/** `attempt` is the number of the last try, or of the one that never came. */
export type CompletedJob =
  | { readonly status: 'Succeeded' | 'Canceled'; readonly attempt: Attempt }
  /** `undefined`: read back from the store, which keeps the words of a failure only. */
  | { readonly status: 'Failed'; readonly attempt: Attempt; readonly failure: Failure | undefined };

export type JobStatus = JobState['status'];

/** `statecode` and `statuscode` (dataverse-facts §6.2). */
export const jobNumbers = {
  WaitingForResources: { statecode: 0, statuscode: 0 },
  Waiting: { statecode: 1, statuscode: 10 },
  InProgress: { statecode: 2, statuscode: 20 },
  Pausing: { statecode: 2, statuscode: 21 },
  Canceling: { statecode: 2, statuscode: 22 },
  Succeeded: { statecode: 3, statuscode: 30 },
  Failed: { statecode: 3, statuscode: 31 },
  Canceled: { statecode: 3, statuscode: 32 },
} as const satisfies Record<JobStatus, { readonly statecode: number; readonly statuscode: number }>;

export function queued(): WaitingForResources {
  return { status: 'WaitingForResources', attempt: 1 as Attempt }; // the first try is number 1
}

export function claimed({ attempt }: WaitingForResources): RunningJob {
  return { status: 'InProgress', attempt };
}

/** A job whose time has come is ready; every other waiting job stays as it is. */
export function whenDue(job: WaitingJob, now: number): WaitingJob | WaitingForResources {
  const due = (job.why === 'retry' || job.why === 'postponed') && job.until <= now;
  return due ? { status: 'WaitingForResources', attempt: job.attempt } : job;
}

export function afterSuccess({ attempt }: RunningJob): CompletedJob {
  return { status: 'Succeeded', attempt };
}

export interface AfterFailureOptions {
  readonly policy: RetryPolicy;
  readonly now: number;
  /** From 0 up to 1. */
  readonly jitter: number;
}

/** The attempt ended with `failure`; a lease that ran out is a `worker-lost`. */
export function afterFailure(job: RunningJob, failure: Failure, options: AfterFailureOptions): JobState {
  if (job.status === 'Canceling') return { status: 'Canceled', attempt: job.attempt };
  const next = afterAttempt(job.attempt, failure, options);
  return job.status === 'Pausing' && (next.status === 'WaitingForResources' || next.status === 'Waiting') ? setAside(job, next.attempt) : next;
}

/** Whatever else the job would have waited for, it waits for its user now. */
function setAside({ until }: { readonly until?: number }, attempt: Attempt): WaitingJob {
  return until === undefined ? { status: 'Waiting', attempt, why: 'paused' } : { status: 'Waiting', attempt, why: 'postponed', until };
}

function afterAttempt(attempt: Attempt, failure: Failure, options: AfterFailureOptions): JobState {
  const { retry } = verdict(failure, { mode: Mode.Asynchronous, inTransaction: false });
  switch (retry) {
    // Given back, so that a rolling deploy cannot exhaust a job.
    case 'uncounted':
      return { status: 'WaitingForResources', attempt };
    case 'asked':
    case 'counted':
      return againOrFailed(attempt, failure, options);
    case 'no':
      return withoutRetry(attempt, failure);
    default:
      return retry satisfies never;
  }
}

function againOrFailed(attempt: Attempt, failure: Failure, { policy, now, jitter }: AfterFailureOptions): JobState {
  if (attempt >= policy.maxAttempts) return { status: 'Failed', attempt, failure };
  const retryAfterMs = failure.kind === 'rejected' ? failure.rejection.retryAfterMs : undefined;
  const until = now + retryDelayMs(policy, { attempt, jitter, retryAfterMs });
  return { status: 'Waiting', attempt: (attempt + 1) as Attempt, why: 'retry', until }; // one more than a valid number is one
}

function withoutRetry(attempt: Attempt, failure: Failure): JobState {
  if (failure.kind !== 'rejected') return { status: 'Failed', attempt, failure };
  switch (failure.rejection.status) {
    case OperationStatus.Canceled:
      return { status: 'Canceled', attempt };
    case OperationStatus.Succeeded:
      return { status: 'Succeeded', attempt };
    // Asked to be put aside, not failed: the same attempt runs again when somebody resumes the job.
    case OperationStatus.Suspended:
      return { status: 'Waiting', attempt, why: 'suspended' };
    case OperationStatus.Failed:
    case OperationStatus.Retry:
      return { status: 'Failed', attempt, failure };
    default:
      return failure.rejection.status satisfies never;
  }
}
