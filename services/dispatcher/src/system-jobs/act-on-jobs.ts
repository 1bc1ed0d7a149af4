import { decideJobAction, type JobAction, type JobRefusal, type JobState, type UserId } from '@airlock/pipeline';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Queryable } from '../store/queryable.ts';
import { rowOfState, StoredState, stateOfRow } from './stored-state.ts';

export type JobActionEnd =
  | { readonly id: string; readonly ok: true }
  | { readonly id: string; readonly ok: false; readonly code: JobRefusal; readonly state: JobState['status'] };

export interface JobActionRequest {
  readonly ids: readonly string[];
  readonly action: JobAction;
  readonly actor: UserId;
  /** Of an `If-Match`; looked at before anything is decided. */
  readonly check?: (row: { readonly id: string; readonly versionnumber: number }) => void;
}

const JobRow = StoredState.extend({ asyncoperationid: z.string(), versionnumber: z.number() });

/** Read under a lock, decide, write: nobody else changes these jobs in between. Ids that are not in the answer do not exist. */
export async function actOnJobs(tx: Queryable, request: JobActionRequest): Promise<readonly JobActionEnd[]> {
  const { ids, action, actor, check } = request;
  const found = await tx.query(sql`
    select asyncoperationid, statecode, statuscode, attempt, postponeuntil, waitingfor, versionnumber from airlock.asyncoperation
    where asyncoperationid = any(${sql.param(ids)}::uuid[]) order by asyncoperationid for no key update`);
  const ends: JobActionEnd[] = [];
  const changed: object[] = [];
  const deleted: string[] = [];
  for (const raw of found) {
    const row = JobRow.parse(raw);
    const id = row.asyncoperationid;
    check?.({ id, versionnumber: row.versionnumber });
    const before = stateOfRow(row);
    const decision = decideJobAction(before, action, { platformOwned: false });
    ends.push(decision.ok ? { id, ok: true } : { id, ok: false, code: decision.code, state: before.status });
    if (!decision.ok) continue;
    if ('deleted' in decision) deleted.push(id);
    else changed.push(changeOf(id, decision.state, before));
  }
  if (changed.length > 0) await writeChanges(tx, changed, actor);
  if (deleted.length > 0) await deleteJobs(tx, deleted);
  return ends;
}

function changeOf(id: string, state: JobState, before: JobState): object {
  const { statecode, statuscode, postponeuntil, waitingfor } = rowOfState(state, before);
  return { id, statecode, statuscode, postponeuntil, waitingfor, completed: statecode === 3 };
}

/** A running job keeps its lease through pausing and cancelling: its worker's result ends it. */
async function writeChanges(tx: Queryable, changes: readonly object[], actor: UserId): Promise<void> {
  await tx.query(sql`
    update airlock.asyncoperation j
    set statecode = c.statecode, statuscode = c.statuscode, postponeuntil = c.postponeuntil, waitingfor = c.waitingfor,
      completedon = case when c.completed then clock_timestamp() end, modifiedby = ${actor}, modifiedon = clock_timestamp(),
      versionnumber = nextval('data.versionnumber')
    from json_to_recordset(${JSON.stringify(changes)}::text::json)
      as c(id uuid, statecode int, statuscode int, postponeuntil timestamptz, waitingfor text, completed boolean)
    where j.asyncoperationid = c.id`);
}

export async function deleteJobs(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.query(sql`
    with gone as (delete from airlock.asyncoperation where asyncoperationid = any(${sql.param(ids)}::uuid[]) returning asyncoperationid)
    delete from airlock.asyncoperationattempt a using gone where a.asyncoperationid = gone.asyncoperationid`);
}
