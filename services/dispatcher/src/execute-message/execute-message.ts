import type { Admission } from '../store/operation-connections.ts';
import { faultOfError } from './fault-of.ts';
import type { MessageRequest, MessageResponse } from './message.ts';
import type { Operation, OperationDependencies } from './operation.ts';
import { writeTraceLog } from './record-ended.ts';
import { runMessage } from './run-message.ts';

const noAdmission: Admission = {
  get queryable(): never {
    throw new Error('the operation is not admitted yet');
  },
  begin: () => {
    throw new Error('the operation is not admitted yet');
  },
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/**
 * Executes a caller's message: admission, the pipeline, and the trace log after the transaction is over. The answer of a
 * failed operation waits for its trace log rows. Never throws for what callers, plug-ins and workers do.
 */
export async function executeMessage(deps: OperationDependencies, request: MessageRequest): Promise<MessageResponse> {
  const op = newOperation(deps, request);
  const response = await admitAndRun(op, request);
  if (op.ended.length > 0) await writeTraceLog(op);
  return response.ok || op.doomed === undefined ? response : { ok: false, fault: op.doomed };
}

async function admitAndRun(op: Operation, request: MessageRequest): Promise<MessageResponse> {
  try {
    await using admission = await op.deps.connections.admit();
    op.admission = admission;
    return await runMessage(op, request);
  } catch (error) {
    return { ok: false, fault: faultOfError(op, error) };
  }
}

function newOperation(deps: OperationDependencies, request: MessageRequest): Operation {
  return {
    deps,
    admission: noAdmission,
    registrations: deps.registrations(),
    metadata: deps.metadata(),
    trace: request.trace,
    runNested: runMessage,
    deadlineMs: performance.now() + deps.limits.operationMs,
    ended: [],
    transaction: undefined,
    doomed: undefined,
    afterCommit: [],
  };
}
