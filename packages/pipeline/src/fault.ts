import type { OperationStatus } from './failure.ts';

/** Details that a caller gets when it asks for annotations; all of it is safe to show to the caller. */
export interface FaultDetails {
  readonly operationStatus?: OperationStatus;
  readonly subErrorCode?: number;
  readonly exceptionDetails?: Readonly<Record<string, string>>;
  /** Trace text of the failing execution in the platform's shape; only for callers who may read the trace log or when the plug-in rejected. */
  readonly traceText?: string;
  readonly innerErrorMessage?: string;
}

/** What a caller is told. Never holds a stack, a host path, or the text of an unexpected exception. */
export interface Fault {
  /** 0x and eight hexadecimal digits. */
  readonly code: string;
  readonly httpStatus: number;
  readonly message: string;
  readonly retriable: boolean;
  /** 32 hexadecimal digits: the trace that shows the cause. */
  readonly traceId: string;
  /** Short form for people, eight characters; found in the trace log row and in the logs. */
  readonly reference: string;
  readonly details?: FaultDetails;
}

/** Names of the error registry that `faultOf` may choose; the registry itself is protocol's. */
export type FaultName =
  | 'PLUGIN_REJECTED'
  | 'PLUGIN_REJECTED_SILENTLY'
  | 'PLUGIN_UNEXPECTED'
  | 'STEP_DEADLINE'
  | 'STEP_CPU'
  | 'STEP_MEMORY'
  | 'STEP_HOST_CALLS'
  | 'STEP_CRASHED'
  | 'STEP_PROTOCOL'
  | 'WORKER_UNAVAILABLE'
  | 'WORKER_LOST'
  | 'SHUTTING_DOWN'
  | 'BUNDLE_UNAVAILABLE'
  | 'STEP_THROTTLED';
