import { DEFAULT_PLUGIN_ERROR_CODE, type Failure, type OperationStatus, type Rejection } from './failure.ts';

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

/** What the dispatcher knows beside the failure. */
export interface FaultCircumstances {
  readonly stepName: string;
  readonly reference: string;
  /** Of the failing execution, in the platform's shape (`traceTextOf`). */
  readonly traceText?: string;
  readonly mayReadTraceLog: boolean;
}

/** The registered error to answer with and the facts for its text. */
export interface ChosenFault {
  readonly name: FaultName;
  readonly facts: Readonly<Record<string, string | number>>;
  /** In place of the registry's; only a rejection chooses one. */
  readonly httpStatus?: number;
  readonly details: FaultDetails;
}

/** `PluginHttpStatusCode` without NotSet (dataverse-facts §3.3). */
const pluginHttpStatuses: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 417, 424, 429, 500, 502, 503, 504]);

/**
 * The only place that chooses what a caller is shown: the plug-in's own words only if it rejected genuinely and said any,
 * otherwise a registered text (statements 41 to 46). Messages and stacks of unexpected exceptions go to the trace log alone.
 */
export function faultOf(failure: Failure, circumstances: FaultCircumstances): ChosenFault {
  const { mayReadTraceLog, traceText } = circumstances;
  const rejected = failure.kind === 'rejected';
  const shown = (rejected || mayReadTraceLog) && traceText !== undefined ? { traceText } : {};
  if (rejected) return ofRejection(failure.rejection, circumstances.reference, shown);
  const { name, facts } = nameOf(failure);
  return { name, facts: { step: circumstances.stepName, reference: circumstances.reference, ...facts }, details: shown };
}

function ofRejection(rejection: Rejection, reference: string, shown: FaultDetails): ChosenFault {
  const hasText = rejection.message.trim() !== '';
  return {
    name: hasText ? 'PLUGIN_REJECTED' : 'PLUGIN_REJECTED_SILENTLY',
    facts: hasText ? { message: rejection.message, reference } : { reference },
    httpStatus: pluginHttpStatuses.has(rejection.httpStatus) ? rejection.httpStatus : 400,
    details: {
      operationStatus: rejection.status,
      subErrorCode: rejection.errorCode === 0 ? DEFAULT_PLUGIN_ERROR_CODE : rejection.errorCode,
      ...(Object.keys(rejection.details).length > 0 && { exceptionDetails: rejection.details }),
      ...(hasText && { innerErrorMessage: rejection.message }),
      ...shown,
    },
  };
}

type NotRejected = Exclude<Failure, { kind: 'rejected' }>;

function nameOf(failure: NotRejected): Pick<ChosenFault, 'name' | 'facts'> {
  switch (failure.kind) {
    case 'unexpected':
      return { name: 'PLUGIN_UNEXPECTED', facts: {} };
    case 'deadline':
      return { name: 'STEP_DEADLINE', facts: { limitMs: failure.limitMs } };
    case 'cpu':
      return { name: 'STEP_CPU', facts: { limitMs: failure.limitMs } };
    case 'memory':
      return { name: 'STEP_MEMORY', facts: { what: failure.what, limitBytes: failure.limitBytes } };
    case 'host-calls':
      return { name: 'STEP_HOST_CALLS', facts: { limit: failure.limit } };
    case 'crash':
      return { name: 'STEP_CRASHED', facts: {} };
    case 'protocol':
      return { name: 'STEP_PROTOCOL', facts: {} };
    case 'no-worker': {
      const { pool, workers, queued, waitedMs } = failure;
      return { name: 'WORKER_UNAVAILABLE', facts: { pool, workers, queued, waitedMs } };
    }
    case 'worker-lost':
      return { name: 'WORKER_LOST', facts: {} };
    case 'shutting-down':
      return { name: 'SHUTTING_DOWN', facts: {} };
    case 'bundle-unavailable':
      return { name: 'BUNDLE_UNAVAILABLE', facts: { detail: showable(failure.detail) } };
    case 'throttled':
      return { name: 'STEP_THROTTLED', facts: { detail: showable(failure.detail) } };
    default:
      return failure satisfies never;
  }
}

const MAX_DETAIL_CHARS = 300;

/** A worker's sentence may quote a file of its machine; callers get one line without it. */
function showable(detail: string): string {
  return detail
    .slice(0, MAX_DETAIL_CHARS)
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(/(^|[\s'"(=:])(?:file:\/\/)?(?:[A-Za-z]:)?[/\\][^\s'")]+/g, '$1[path]')
    .trim();
}
