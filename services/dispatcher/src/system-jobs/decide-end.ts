import { type AfterFailureOptions, afterFailure, afterSuccess, type JobState, type RunningJob, verdict } from '@airlock/pipeline';
import type { AttemptEnd } from './attempt-end.ts';
import { rowOfState } from './stored-state.ts';

/** One attempt's end as the statement that writes it wants it: the fence, the job's columns, the attempt's row. */
export interface EndRow {
  readonly id: string;
  readonly lease: string;
  /** The state that was decided on; written only if it is still that one. */
  readonly assumed: number;
  readonly remove: boolean;
  readonly counted: boolean;
  readonly [column: string]: unknown;
}

const MAX_INTEGER = 2_147_483_647;
const MAX_MESSAGE_CHARS = 100_000;
const MAX_ATTEMPT_MESSAGE_CHARS = 8_000;

/** The only way from an attempt's end to a row: the state machine decides, this spells it in columns. */
export function endRow(end: AttemptEnd, before: RunningJob, assumed: number, options: AfterFailureOptions): EndRow {
  const { job, failure } = end;
  const state: JobState = failure === undefined ? afterSuccess(before) : afterFailure(before, failure, options);
  const columns = rowOfState(state, before);
  const completed = columns.statecode === 3;
  const shownMs = Math.max(0, end.endedAtMs - end.startedAtMs);
  return {
    id: job.asyncoperationid,
    lease: job.leaseid,
    assumed,
    remove: state.status === 'Succeeded' && job.asyncautodelete,
    ran: end.nothingRan !== true,
    counted: failure === undefined || isCounted(failure),
    ...columns,
    hostid: end.workerId ?? null,
    completed,
    executiontimespan: end.receipt?.wallMs ?? shownMs,
    // What the last failure said stays readable while the job waits for its next try.
    errorcode: end.fault === undefined ? null : errorNumber(end.fault.code),
    message: end.message === undefined ? null : storable(end.message, MAX_MESSAGE_CHARS),
    friendlymessage: end.fault === undefined ? null : storable(end.fault.message, MAX_MESSAGE_CHARS),
    tried: before.attempt,
    startedms: end.startedAtMs,
    endedms: end.endedAtMs,
    failurekind: end.failureKind ?? (failure === undefined ? null : `${failure.origin}/${failure.kind}`),
    attemptmessage: end.message === undefined ? null : storable(end.message, MAX_ATTEMPT_MESSAGE_CHARS),
    wallms: end.receipt?.wallMs ?? null,
    cpums: end.receipt?.cpuMs ?? null,
    heapbytes: whole(end.receipt?.heapBytes),
    residentbytes: whole(end.receipt?.residentBytes),
    hostcalls: whole(end.receipt?.hostCalls, MAX_INTEGER),
    hostcallbytes: whole(end.receipt?.hostCallBytes),
    startkind: end.receipt?.start ?? null,
  };
}

function isCounted(failure: NonNullable<AttemptEnd['failure']>): boolean {
  return verdict(failure, { mode: 1, inTransaction: false }).retry !== 'uncounted';
}

/** As the platform's numbers are: the code read as a signed 32-bit integer. */
function errorNumber(code: string): number {
  return code === '' ? 0 : Number.parseInt(code, 16) | 0;
}

function storable(text: string, limit: number): string {
  return text.slice(0, limit).replaceAll('\u0000', '\ufffd').toWellFormed();
}

/** A worker's numbers are anybody's: a fraction would make Postgres refuse the row. */
function whole(value: number | undefined, most: number = Number.MAX_SAFE_INTEGER): number | null {
  return value === undefined ? null : Math.min(Math.round(value), most);
}
