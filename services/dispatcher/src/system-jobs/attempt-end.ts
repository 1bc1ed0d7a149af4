import type { Failure, Fault, Receipt } from '@airlock/pipeline';
import type { ClaimedJob } from './claim-jobs.ts';

/** How one attempt ended, before it is decided what becomes of the job. */
export interface AttemptEnd {
  readonly job: ClaimedJob;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly workerId: string | undefined;
  readonly receipt: Receipt | undefined;
  /** `undefined`: it succeeded. */
  readonly failure: Failure | undefined;
  /** It never reached a worker, so there is nothing to keep of it. */
  readonly nothingRan?: true;
  /** In place of the failure's own kind, where the platform refused to start it. */
  readonly failureKind?: string;
  /** What the user may be shown; absent when it succeeded. */
  readonly fault?: Fault;
  /** What the author needs: the exception with its stack, and the trace. */
  readonly message?: string;
}

/** The trace of an attempt has the lease's 128 random bits as its id: whoever takes the lease over knows it too. */
export const traceIdOf = (leaseId: string) => leaseId.replaceAll('-', '');
