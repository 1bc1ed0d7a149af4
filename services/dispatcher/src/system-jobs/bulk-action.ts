import type { JobAction, UserId } from '@airlock/pipeline';
import { NIL_UUID } from '@airlock/pipeline';
import { errorCodes, errorText, type JobActionRequest, type JobActionResult, type JobFilter, PlatformError } from '@airlock/protocol';
import { type SQL, sql } from 'drizzle-orm';
import type { PlatformDatabase } from '../store/platform-database.ts';
import { actOnJobs, type JobActionEnd } from './act-on-jobs.ts';

export const jobActions = ['cancel', 'pause', 'resume', 'postpone', 'retry-now', 'delete'] as const;
export type JobActionName = (typeof jobActions)[number];

export interface BulkOptions {
  readonly db: PlatformDatabase;
  readonly actor: UserId;
  /** Called after each batch is committed. */
  readonly changed: (jobIds: readonly string[]) => void;
}

/** Rows of one transaction, and transactions of one request. */
const BATCH = 250;
const MAX_BATCHES = 40;

/** One action on many jobs, in batches of their own: no lock is held for long, and what is done stays done. */
export async function actOnMany({ db, actor, changed }: BulkOptions, name: JobActionName, request: JobActionRequest): Promise<JobActionResult> {
  const action = actionOf(name, request.until);
  const tally = newTally();
  let after: string = NIL_UUID;
  let more = true;
  for (let batch = 0; batch < MAX_BATCHES && more; batch += 1) {
    const ids = await nextIds(db, request, { after, batch });
    if (ids.length > 0) {
      const ends = await db.inTransaction((tx) => actOnJobs(tx, { ids, action, actor }));
      tally.add(ends);
      changed(ends.filter(({ ok }) => ok).map(({ id }) => id));
    }
    after = ids.at(-1) ?? after;
    more = ids.length === BATCH;
  }
  return { ...tally.result(), more: more && request.filter !== undefined };
}

function actionOf(name: JobActionName, until: string | undefined): JobAction {
  if (name !== 'postpone') {
    if (until !== undefined) throw new PlatformError('INVALID_ARGUMENT', { problem: '"until" is for the action postpone only.' });
    return { kind: name };
  }
  if (until === undefined) throw new PlatformError('INVALID_ARGUMENT', { problem: 'the action postpone needs "until".' });
  return { kind: 'postpone', until: Date.parse(until) };
}

async function nextIds(
  db: PlatformDatabase,
  { ids, filter }: JobActionRequest,
  { after, batch }: { readonly after: string; readonly batch: number },
): Promise<readonly string[]> {
  if (filter === undefined) return [...new Set((ids ?? []).map((id) => id.toLowerCase()))].slice(batch * BATCH, (batch + 1) * BATCH);
  const rows = await db.query(sql`
    select asyncoperationid as id from airlock.asyncoperation
    where ${sql.join([...conditionsOf(filter), sql`asyncoperationid > ${after}::uuid`], sql` and `)}
    order by asyncoperationid limit ${BATCH}`);
  return rows.map((row) => String(row['id']));
}

function conditionsOf(filter: JobFilter): readonly SQL[] {
  const { statuscode, stepId, table, message, regardingId, correlationId, createdBefore } = filter;
  return [
    ...(statuscode === undefined ? [] : [sql`statuscode = any(${sql.param(statuscode)}::int[])`]),
    ...(stepId === undefined ? [] : [sql`owningextensionid = ${stepId}::uuid`]),
    ...(table === undefined ? [] : [sql`primaryentitytype = ${table}`]),
    ...(message === undefined ? [] : [sql`messagename = ${message}`]),
    ...(regardingId === undefined ? [] : [sql`regardingobjectid = ${regardingId}::uuid`]),
    ...(correlationId === undefined ? [] : [sql`correlationid = ${correlationId}::uuid`]),
    ...(createdBefore === undefined ? [] : [sql`createdon < ${createdBefore}::timestamptz`]),
  ];
}

function newTally() {
  let matched = 0;
  let done = 0;
  const refused = new Map<string, { readonly code: string; readonly message: string; count: number }>();
  return {
    add: (ends: readonly JobActionEnd[]) => {
      matched += ends.length;
      for (const end of ends) {
        if (end.ok) {
          done += 1;
          continue;
        }
        const message = errorText(end.code, { state: end.state });
        const known = refused.get(message) ?? { code: errorCodes[end.code].code, message, count: 0 };
        known.count += 1;
        refused.set(message, known);
      }
    },
    result: () => ({ matched, done, refused: [...refused.values()] }),
  };
}
