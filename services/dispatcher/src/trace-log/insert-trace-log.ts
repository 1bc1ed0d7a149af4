import { sql } from 'drizzle-orm';
import type { Queryable } from '../store/queryable.ts';
import type { TraceLogRow } from './trace-log-row.ts';

const columns = `plugintracelogid, typename, messagename, primaryentity, primaryentityid, mode, depth, stage, configuration, messageblock,
  messageblocktruncated, exceptiondetails, performanceexecutionstarttime, performanceexecutionduration, correlationid, requestid, pluginstepid,
  stepname, asyncoperationid, attempt, traceid, reference, bundlename, bundleversion, bundledigest, failurekind, errorcode, wallms, cpums,
  heapbytes, residentbytes, hostcalls, hostcallbytes, startkind, workerid, userid, createdon`;

/** One statement of one shape for any number of rows, so that it is prepared once; a row that is there already stays. */
export async function insertTraceLogRows(db: Queryable, rows: readonly TraceLogRow[]): Promise<void> {
  const json = JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'string' ? storable(value) : value));
  await db.query(sql`
    insert into airlock.plugintracelog (${sql.raw(columns)})
    select ${sql.raw(columns)} from json_populate_recordset(null::airlock.plugintracelog, ${json}::text::json)
    on conflict (plugintracelogid) do nothing`);
}

/** Cleaned where it entered; here for the last time, because a row that cannot be stored hides a failure. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').toWellFormed();
}

/** The database is well and refuses what is in the row: trying again cannot help. Classes 22 (data) and 23 (integrity). */
export function isRefusedRow(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^2[23]/.test(code);
}
