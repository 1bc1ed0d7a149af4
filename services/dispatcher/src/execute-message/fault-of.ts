import { type ChosenFault, type Failure, type Fault, faultOf, type Step, traceTextOf } from '@airlock/pipeline';
import { type ErrorCode, errorCodes, errorText, PlatformError } from '@airlock/protocol';
import { atLeast } from '../access/may.ts';
import { redactThrown } from '../secrets/redact.ts';
import { isConnectionLost } from '../store/connection.ts';
import type { Caller } from './message.ts';
import { type Operation, referenceOf } from './operation.ts';

function isRetriable(code: ErrorCode): boolean {
  return 'retriable' in errorCodes[code];
}

/** The fault of a step that failed; `faultOf` of the pipeline chooses the words. */
export function faultOfFailure(
  op: Operation,
  failure: Failure,
  { step, trace, caller }: { readonly step: Step; readonly trace: string; readonly caller: Caller },
): Fault {
  const chosen: ChosenFault = faultOf(failure, {
    stepName: step.name,
    reference: referenceOf(op.trace),
    mayReadTraceLog: atLeast(caller.role, 'author'),
    ...(trace !== '' && {
      traceText: traceTextOf({ assembly: step.plugin.bundleName, typeName: step.plugin.typeName, stepId: step.id, stepName: step.name }, trace),
    }),
  });
  const { code, http } = errorCodes[chosen.name];
  return {
    code,
    httpStatus: chosen.httpStatus ?? http,
    message: errorText(chosen.name, chosen.facts),
    retriable: isRetriable(chosen.name),
    traceId: op.trace.traceId,
    reference: referenceOf(op.trace),
    details: chosen.details,
  };
}

/** The fault of something that the platform itself refused or that broke in it. Logs what nobody expected. */
export function faultOfError(op: Operation, error: unknown): Fault {
  const known = platformErrorOf(error);
  const { redact } = op.registrations;
  if (known === undefined) {
    const facts = { err: redactThrown(error, redact), traceId: op.trace.traceId, reference: referenceOf(op.trace) };
    op.deps.log.error(facts, 'an operation failed unexpectedly');
  }
  const platform = known ?? new PlatformError('UNEXPECTED', { reference: referenceOf(op.trace) });
  const { code, http } = errorCodes[platform.code];
  return {
    code,
    httpStatus: http,
    // It may quote what a plug-in passed on, such as the name of a column.
    message: redact(platform.message),
    retriable: isRetriable(platform.code),
    traceId: op.trace.traceId,
    reference: referenceOf(op.trace),
  };
}

/** What a nested message meets whose caller is gone: nobody hears it, but nothing more of it may happen. */
export function executionEnded(): PlatformError {
  return new PlatformError('SERVICE_CALL_REFUSED', { reason: 'the execution that made it has ended' });
}

function platformErrorOf(error: unknown): PlatformError | undefined {
  if (error instanceof PlatformError) return error;
  return isConnectionLost(error)
    ? new PlatformError('TRANSACTION_CONFLICT', { reason: 'the connection to the database was lost' }, { cause: error })
    : undefined;
}

const dooming: ReadonlySet<string> = new Set(
  (['PIPELINE_DEPTH_EXCEEDED', 'TRANSACTION_CONFLICT', 'WORKER_UNAVAILABLE', 'WORKER_LOST', 'SHUTTING_DOWN'] satisfies ErrorCode[]).map(
    (name) => errorCodes[name].code,
  ),
);

/** Whether the operation must fail with this fault even if a plug-in catches it. */
export function isDooming(fault: Fault): boolean {
  return dooming.has(fault.code);
}
