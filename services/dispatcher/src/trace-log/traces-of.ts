import { sql } from 'drizzle-orm';
import type { Queryable, Row } from '../store/queryable.ts';

/** An operation of depth 8 with a stage full of steps stays below. */
const MAX_ROWS = 1_000;

/** Rows of one trace in the order in which the executions began. Keyed by column, as the Web API shows the table. */
export async function tracesOf(db: Queryable, traceId: string): Promise<readonly Row[]> {
  if (!/^[0-9a-f]{32}$/.test(traceId)) return [];
  return await db.query(sql`
    select plugintracelogid, typename, stepname, pluginstepid, messagename, primaryentity, primaryentityid, mode, stage, depth, messageblock,
      messageblocktruncated, exceptiondetails, performanceexecutionstarttime, performanceexecutionduration, correlationid, requestid,
      asyncoperationid, attempt, traceid, reference, bundlename, bundleversion, failurekind, errorcode, wallms, cpums, heapbytes, residentbytes,
      hostcalls, hostcallbytes, startkind, workerid, userid, createdon
    from airlock.plugintracelog where traceid = ${traceId}
    order by performanceexecutionstarttime, depth, plugintracelogid limit ${MAX_ROWS}`);
}
