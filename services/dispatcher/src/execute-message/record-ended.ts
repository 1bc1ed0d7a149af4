import { type Failure, type TraceLogSetting, writesTraceLog } from '@airlock/pipeline';
import type { EndedExecution } from '../trace-log/trace-log-row.ts';
import { traceLogRow } from '../trace-log/trace-log-row.ts';
import type { Operation } from './operation.ts';

/** Keeps the execution for the trace log if the setting wants it, and says in the log how it ended. */
export function recordEnded(op: Operation, ended: EndedExecution): void {
  const { failure, step } = ended;
  if (writesTraceLog(op.registrations.settings.pluginTraceLogSetting as TraceLogSetting, failure)) op.ended.push(ended);
  if (failure === undefined) return;
  const facts = {
    traceId: ended.traceId,
    reference: ended.reference,
    stepId: step.id,
    step: step.name,
    bundle: step.plugin.bundleName,
    bundleVersion: step.plugin.bundleVersion,
    failure: `${failure.origin}/${failure.kind}`,
    workerId: ended.workerId,
  };
  // A rejection is a business rule doing its work.
  if (isRejection(failure)) op.deps.log.debug(facts, 'a plug-in rejected the operation');
  else op.deps.log.warn(facts, 'a plug-in step failed');
}

function isRejection(failure: Failure): boolean {
  return failure.kind === 'rejected';
}

/** After the transaction is over. Rows of a failed operation are there when the caller reads its answer. */
export async function writeTraceLog(op: Operation): Promise<void> {
  const rows = op.ended.splice(0).map((ended) => ({ failed: ended.failure !== undefined, row: traceLogRow(ended, Date.now()) }));
  for (const { failed, row } of rows) if (!failed) op.deps.traceLog.writeLater(row);
  await op.deps.traceLog.writeNow(rows.filter(({ failed }) => failed).map(({ row }) => row));
}
