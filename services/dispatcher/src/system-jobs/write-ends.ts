import { sql } from 'drizzle-orm';
import type { Queryable } from '../store/queryable.ts';
import type { EndRow } from './decide-end.ts';

const columns = sql.raw(`id uuid, lease uuid, assumed int, remove boolean, ran boolean, counted boolean, statecode int, statuscode int, attempt int,
  retrycount int, postponeuntil timestamptz, waitingfor text, hostid text, completed boolean, executiontimespan float8, errorcode int,
  message text, friendlymessage text, tried int, startedms float8, endedms float8, failurekind text, attemptmessage text, wallms float8,
  cpums float8, heapbytes bigint, residentbytes bigint, hostcalls int, hostcallbytes bigint, startkind text`);

/**
 * Writes the ends of many attempts in one statement. Each is fenced by its lease and by the state that was decided on: what
 * is not in the answer has another state by now, or another owner. Found by primary key alone: a condition on `statecode`
 * would invite the planner to a partial index, and with old statistics it has taken it.
 */
export async function writeEnds(db: Queryable, rows: readonly EndRow[]): Promise<ReadonlySet<string>> {
  const written = await db.query(sql`
    with ended as materialized (select * from json_to_recordset(${JSON.stringify(rows)}::text::json) as e(${columns})),
    kept as (
      update airlock.asyncoperation j
      set statecode = e.statecode, statuscode = e.statuscode, attempt = e.attempt, retrycount = e.retrycount, postponeuntil = e.postponeuntil,
        waitingfor = e.waitingfor, hostid = coalesce(e.hostid, j.hostid), leaseid = null, leaseuntil = null,
        completedon = case when e.completed then clock_timestamp() end, executiontimespan = e.executiontimespan, errorcode = e.errorcode,
        message = e.message, friendlymessage = e.friendlymessage, modifiedon = clock_timestamp(), versionnumber = nextval('data.versionnumber')
      from ended e
      where j.asyncoperationid = e.id and j.leaseid = e.lease and j.statuscode = e.assumed and not e.remove
      returning j.asyncoperationid, j.dispatcherid, e.lease, e.tried, e.ran, e.counted, e.hostid, e.startedms, e.endedms, e.statuscode, e.failurekind, e.errorcode,
        e.attemptmessage, e.wallms, e.cpums, e.heapbytes, e.residentbytes, e.hostcalls, e.hostcallbytes, e.startkind),
    removed as (
      delete from airlock.asyncoperation j using ended e
      where j.asyncoperationid = e.id and j.leaseid = e.lease and j.statuscode = e.assumed and e.remove
      returning j.asyncoperationid),
    forgotten as (
      delete from airlock.asyncoperationattempt a using removed r where a.asyncoperationid = r.asyncoperationid),
    attempts as (
      insert into airlock.asyncoperationattempt (asyncoperationattemptid, asyncoperationid, attempt, counted, dispatcherid, workerid, startedon,
        endedon, result, failurekind, errorcode, message, traceid, wallms, cpums, heapbytes, residentbytes, hostcalls, hostcallbytes, startkind)
      select lease, asyncoperationid, tried, counted, coalesce(dispatcherid, ''), hostid, to_timestamp(startedms / 1000), to_timestamp(endedms / 1000),
        statuscode, failurekind, errorcode, attemptmessage, replace(lease::text, '-', ''), wallms, cpums, heapbytes, residentbytes, hostcalls,
        hostcallbytes, startkind
      from kept where ran on conflict (asyncoperationattemptid) do nothing)
    select asyncoperationid from kept union all select asyncoperationid from removed`);
  return new Set(written.map((row) => String(row['asyncoperationid'])));
}
