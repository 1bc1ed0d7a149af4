import { type Failure, OperationStatus } from './failure.ts';
import { Mode } from './mode.ts';

/** What follows from a failure; the rows of design §4. */
export interface Verdict {
  /** The caller's operation ends with this failure; later steps do not run. */
  readonly cancelOperation: boolean;
  readonly rollBack: boolean;
  /**
   * Whether the system job gets another attempt: `asked` for by the plug-in and `counted` (a lost worker: the plug-in may be
   * what killed it) use up an attempt; `uncounted` does not, because nothing of the plug-in is to blame.
   */
  readonly retry: 'asked' | 'counted' | 'uncounted' | 'no';
  /** Subject to the trace log setting. */
  readonly writeTraceLog: boolean;
  readonly writeOperatorLog: boolean;
  /** The caller may send the same request again. */
  readonly retriable: boolean;
}

export interface VerdictCircumstances {
  readonly mode: Mode;
  readonly inTransaction: boolean;
}

export function verdict(failure: Failure, { mode, inTransaction }: VerdictCircumstances): Verdict {
  const synchronous = mode === Mode.Synchronous;
  return {
    // Any failure that leaves a synchronous step ends its operation (statement 37); an asynchronous one has no caller (48, 59).
    cancelOperation: synchronous,
    // A top-level PreValidation has no transaction: what it wrote were operations of their own and stay (36).
    rollBack: synchronous && inTransaction,
    retry: synchronous ? 'no' : retryOf(failure),
    writeTraceLog: true,
    writeOperatorLog: failure.origin === 'platform',
    retriable: isRetriable(failure),
  };
}

function retryOf(failure: Failure): Verdict['retry'] {
  switch (failure.origin) {
    case 'plug-in':
      return failure.kind === 'rejected' && failure.rejection.status === OperationStatus.Retry ? 'asked' : 'no';
    case 'sandbox':
      return 'no';
    case 'platform':
      return retryOfPlatform(failure.kind);
    default:
      return failure satisfies never;
  }
}

type PlatformKind = Extract<Failure, { origin: 'platform' }>['kind'];

function retryOfPlatform(kind: PlatformKind): 'counted' | 'uncounted' {
  switch (kind) {
    // Nothing ran, or it was stopped by us: a rolling deploy must not exhaust a job.
    case 'shutting-down':
    case 'no-worker':
    case 'throttled':
      return 'uncounted';
    // An uncounted retry would kill workers for ever; a bundle that never comes must fail in the end.
    case 'worker-lost':
    case 'bundle-unavailable':
      return 'counted';
    default:
      return kind satisfies never;
  }
}

/** Agrees with the `retriable` of the errors that `faultOf` chooses: what a caller reads must not depend on which of the two was asked. */
function isRetriable(failure: Failure): boolean {
  return failure.origin === 'platform' && failure.kind !== 'bundle-unavailable';
}
