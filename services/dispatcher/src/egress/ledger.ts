import { cleanText, type EgressHop } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import type { Queryable, Row } from '../store/queryable.ts';

/** Who asked, for the ledger. */
export interface EgressCaller {
  readonly stepId: string;
  readonly stepName: string;
  readonly bundleName: string;
  readonly bundleVersion: string;
  readonly userId: string;
  readonly traceId: string;
}

/** One row a hop, in one statement. */
export async function writeLedger(db: Queryable, caller: EgressCaller, hops: readonly EgressHop[]): Promise<void> {
  if (hops.length === 0) return;
  const rows = hops.map(
    (hop, index) => sql`(${caller.stepId}::uuid, ${cleanText(caller.stepName, 512)}, ${caller.bundleName}, ${caller.bundleVersion},
      ${caller.userId}::uuid, ${hop.scheme}, ${cleanText(hop.host, 255)}, ${hop.port}::integer, ${hop.method}, ${index}::integer, ${hop.status ?? null}::integer,
      ${hop.refusal ?? null}, ${hop.sentBytes}::bigint, ${hop.receivedBytes}::bigint, ${hop.durationMs}::double precision, ${caller.traceId})`,
  );
  await db.query(sql`
    insert into airlock.egresslog (sdkmessageprocessingstepid, stepname, bundlename, bundleversion, systemuserid, scheme, host, port, method, hop,
      httpstatus, refusal, sentbytes, receivedbytes, durationms, traceid)
    values ${sql.join(rows, sql`, `)}`);
}

export interface LedgerQuery {
  readonly stepId?: string | undefined;
  readonly top: number;
  /** Id of the last row of the page before. */
  readonly before?: string | undefined;
}

/** Newest first: ids are made in the order of time. */
export async function readLedger(db: Queryable, { stepId, top, before }: LedgerQuery): Promise<readonly Row[]> {
  return await db.query(sql`
    select egresslogid as id, to_char(createdon at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "on", sdkmessageprocessingstepid as "stepId",
      stepname as "stepName", bundlename as bundle, bundleversion as version, systemuserid as "userId", scheme, host, port, method, hop,
      httpstatus as status, refusal, sentbytes::double precision as "sentBytes", receivedbytes::double precision as "receivedBytes",
      durationms as "durationMs", traceid as "traceId"
    from airlock.egresslog
    where (${stepId ?? null}::uuid is null or sdkmessageprocessingstepid = ${stepId ?? null}::uuid)
      and (${before ?? null}::uuid is null or egresslogid < ${before ?? null}::uuid)
    order by egresslogid desc limit ${top}`);
}

const BATCH_ROWS = 1_000;
const MAX_BATCHES = 1_000;

/** In batches, so that no lock is held for long; what is left after the last one is for the next run. */
export async function cleanUpLedger(db: Queryable, beforeMs: number): Promise<number> {
  const before = new Date(beforeMs).toISOString();
  let deleted = 0;
  for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
    const rows = await db.query(sql`
      with old as (
        select egresslogid from airlock.egresslog where createdon < ${before}::timestamptz order by createdon limit ${BATCH_ROWS} for update skip locked),
      gone as (delete from airlock.egresslog t using old where t.egresslogid = old.egresslogid returning 1)
      select count(*)::integer as count from gone`);
    const count = Number(rows[0]?.['count'] ?? 0);
    deleted += count;
    if (count < BATCH_ROWS) break;
  }
  return deleted;
}
