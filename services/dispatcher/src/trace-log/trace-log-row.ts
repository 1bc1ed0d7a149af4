import { randomUUIDv7 } from 'node:crypto';
import { type ExecutionContext, exceptionDetailsOf, type Failure, type Receipt, type Step, truncateMiddle } from '@airlock/pipeline';

/** Text limit of a trace log column; the head says how it began, the tail how it ended. */
const MAX_TEXT_BYTES = 64 * 1024;
const MAX_CONFIGURATION_BYTES = 4 * 1024;

/** One execution as it ended. Whether it gets a row is for pipeline's `writesTraceLog`. */
export interface EndedExecution {
  readonly step: Step;
  readonly context: Pick<
    ExecutionContext,
    'messageName' | 'primaryEntityName' | 'primaryEntityId' | 'depth' | 'correlationId' | 'requestId' | 'userId'
  >;
  readonly startedAtMs: number;
  readonly failure: Failure | undefined;
  /** Lines joined by line feeds, cleaned. */
  readonly trace: string;
  readonly traceTruncated: boolean;
  /** `undefined`: nothing ran, for example because no worker took it. */
  readonly receipt: Receipt | undefined;
  readonly traceId: string;
  /** What the caller's fault shows, and its code; absent for successes. */
  readonly reference?: string;
  readonly errorCode?: string;
  readonly workerId?: string;
  /** Of an asynchronous step. */
  readonly job?: { readonly asyncOperationId: string; readonly attempt: number };
}

/** A row of `plugintracelog`, keyed by column: it is sent as JSON and laid over the table's columns by name. */
export interface TraceLogRow {
  /** Made here, so that a row that is sent twice is stored once. */
  readonly plugintracelogid: string;
  readonly typename: string;
  readonly messagename: string;
  readonly primaryentity: string;
  readonly primaryentityid: string | null;
  readonly mode: number;
  readonly depth: number;
  readonly stage: number;
  readonly configuration: string;
  readonly messageblock: string;
  readonly messageblocktruncated: boolean;
  readonly exceptiondetails: string;
  readonly performanceexecutionstarttime: string;
  readonly performanceexecutionduration: number;
  readonly correlationid: string;
  readonly requestid: string;
  readonly pluginstepid: string;
  readonly stepname: string;
  readonly asyncoperationid: string | null;
  readonly attempt: number | null;
  readonly traceid: string;
  readonly reference: string | null;
  readonly bundlename: string;
  readonly bundleversion: string;
  readonly bundledigest: string;
  readonly failurekind: string | null;
  readonly errorcode: string | null;
  readonly wallms: number | null;
  readonly cpums: number | null;
  readonly heapbytes: number | null;
  readonly residentbytes: number | null;
  readonly hostcalls: number | null;
  readonly hostcallbytes: number | null;
  readonly startkind: string | null;
  readonly workerid: string | null;
  readonly userid: string;
  readonly createdon: string;
}

/** The secure configuration has no column here on purpose. */
export function traceLogRow(ended: EndedExecution, nowMs: number): TraceLogRow {
  const { step, context, failure } = ended;
  const trace = truncateMiddle(ended.trace, MAX_TEXT_BYTES);
  return {
    plugintracelogid: randomUUIDv7(),
    typename: step.plugin.typeName,
    messagename: context.messageName,
    primaryentity: context.primaryEntityName,
    primaryentityid: context.primaryEntityId,
    mode: step.mode,
    depth: context.depth,
    stage: step.stage,
    configuration: truncateMiddle(step.unsecureConfiguration, MAX_CONFIGURATION_BYTES).text,
    messageblock: trace.text,
    messageblocktruncated: ended.traceTruncated || trace.cutBytes > 0,
    exceptiondetails: truncateMiddle(exceptionDetailsOf(failure) ?? '', MAX_TEXT_BYTES).text,
    performanceexecutionstarttime: instantOf(ended.startedAtMs),
    performanceexecutionduration: Math.round(ended.receipt?.wallMs ?? 0),
    correlationid: context.correlationId,
    requestid: context.requestId,
    pluginstepid: step.id,
    stepname: step.name,
    asyncoperationid: ended.job?.asyncOperationId ?? null,
    attempt: ended.job?.attempt ?? null,
    traceid: ended.traceId,
    reference: ended.reference ?? null,
    bundlename: step.plugin.bundleName,
    bundleversion: step.plugin.bundleVersion,
    bundledigest: step.plugin.bundleDigest,
    failurekind: failure === undefined ? null : `${failure.origin}/${failure.kind}`,
    errorcode: ended.errorCode ?? null,
    ...receiptColumns(ended.receipt),
    workerid: ended.workerId ?? null,
    userid: context.userId,
    createdon: new Date(nowMs).toISOString(),
  };
}

/** With microseconds, as Postgres keeps them: several short steps begin within one millisecond. */
function instantOf(ms: number): string {
  const micros = Math.floor((ms % 1) * 1_000);
  return `${new Date(ms).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}

function receiptColumns(receipt: Receipt | undefined) {
  return {
    wallms: receipt?.wallMs ?? null,
    cpums: receipt?.cpuMs ?? null,
    heapbytes: whole(receipt?.heapBytes),
    residentbytes: whole(receipt?.residentBytes),
    hostcalls: whole(receipt?.hostCalls),
    hostcallbytes: whole(receipt?.hostCallBytes),
    startkind: receipt?.start ?? null,
  };
}

/** A worker's numbers are anybody's: a fraction would make Postgres refuse the row. */
function whole(value: number | undefined): number | null {
  return value === undefined ? null : Math.min(Math.round(value), Number.MAX_SAFE_INTEGER);
}
