import { randomUUIDv7 } from 'node:crypto';
import { Mode, type StageState, type Step, type UserId } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { formatTraceparent } from '@airlock/telemetry';
import { sql } from 'drizzle-orm';
import type { Operation } from '../execute-message/operation.ts';
import { type Images, type MessageFrame, ownContextOf, stageContextOf } from '../execute-message/stage-context.ts';
import type { Queryable } from '../store/queryable.ts';
import { SYSTEM_USER_ID } from '../store/well-known.ts';
import { jobDataText, snapshotOf } from './job-data.ts';
import { orderingKeyOf } from './ordering-key.ts';

export interface JobsToQueue {
  readonly steps: readonly Step[];
  readonly state: StageState;
  readonly images: Images;
}

const columns = `asyncoperationid, name, messagename, primaryentitytype, regardingobjectid, regardingobjectidtype, owningextensionid,
  correlationid, requestid, depth, data, dependencytoken, priority, asyncautodelete, pool, bundledigest, traceparent, ownerid, createdby, modifiedby`;
const defaulted = 'operationtype, statecode, statuscode, retrycount, attempt, createdon, modifiedon, versionnumber';
const defaults = `1, 0, 0, 0, 0, now(), now(), nextval('data.versionnumber')`;
/** The secret and the envelope of the run are added when the attempt starts. */
const ROOM_BYTES = 132 * 1024;
const MAX_NAME_CHARS = 256;

/**
 * A job for each asynchronous step, in the transaction of the operation that caused it: it exists exactly when that
 * transaction commits. One statement of one shape, however many steps there are.
 */
export async function queueJobs(op: Operation, db: Queryable, frame: MessageFrame, jobs: JobsToQueue): Promise<void> {
  const rows = rowsOf(op, frame, jobs);
  await db.query(sql`
    insert into airlock.asyncoperation (${sql.raw(columns)}, ${sql.raw(defaulted)})
    select ${sql.raw(columns)}, ${sql.raw(defaults)}
    from json_populate_recordset(null::airlock.asyncoperation, ${JSON.stringify(rows)}::text::json)`);
  const constrained = jobs.steps.some(({ orderingKey, maxConcurrency }) => orderingKey !== undefined || maxConcurrency !== undefined);
  op.afterCommit.push(() => op.deps.jobsQueued(constrained ? 'constrained' : 'free'));
}

function rowsOf(op: Operation, frame: MessageFrame, { steps, state, images }: JobsToQueue) {
  const { request } = frame;
  const { operationId: _none, ...shared } = stageContextOf(op, frame, { stage: 40, state });
  const context = { ...shared, mode: Mode.Asynchronous, isInTransaction: false };
  return steps.map((step) => {
    const own = ownContextOf(step, userOf(step, request.caller.userId), images);
    const data = jobDataText({ version: 1, context, state, own, step: snapshotOf(step), caller: request.caller });
    const bytes = Buffer.byteLength(data);
    const limit = op.deps.limits.contextBytes - ROOM_BYTES;
    if (bytes > limit) throw new PlatformError('CONTEXT_TOO_LARGE', { bytes, limit });
    return {
      asyncoperationid: randomUUIDv7(),
      name: step.name.slice(0, MAX_NAME_CHARS).toWellFormed(),
      messagename: frame.messageName,
      primaryentitytype: request.table.logicalName,
      regardingobjectid: frame.primaryEntityId,
      regardingobjectidtype: request.table.logicalName,
      owningextensionid: step.id,
      correlationid: request.correlationId,
      requestid: request.requestId,
      depth: frame.depth,
      data,
      dependencytoken: orderingKeyOf(step, frame.primaryEntityId, state),
      priority: step.priority ?? 0,
      asyncautodelete: step.asyncAutoDelete,
      pool: op.deps.pool,
      bundledigest: step.plugin.bundleDigest,
      traceparent: formatTraceparent(op.trace),
      ownerid: request.caller.userId,
      createdby: request.caller.userId,
      modifiedby: request.caller.userId,
    };
  });
}

/** Whether that user may run is asked when the attempt starts: an asynchronous step must not fail its operation. */
function userOf({ runAs }: Step, callerId: UserId): UserId {
  if (runAs.kind === 'system') return SYSTEM_USER_ID;
  return runAs.kind === 'user' ? runAs.userId : callerId;
}
