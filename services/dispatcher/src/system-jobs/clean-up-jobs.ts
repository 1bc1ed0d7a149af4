import { sql } from 'drizzle-orm';
import type { Queryable } from '../store/queryable.ts';

const BATCH_ROWS = 1_000;
const MAX_BATCHES = 1_000;

export interface JobCleanUpOptions {
  /** Completed jobs stay for so long, whatever became of them; those with `asyncautodelete` that succeeded are gone already. */
  readonly retentionMs: number;
  readonly batchRows?: number;
  readonly maxBatches?: number;
}

/** Deletes old completed jobs with their attempts, in batches of their own. What waits or runs is never touched. Returns the count. */
export async function cleanUpJobs(
  db: Queryable,
  { retentionMs, batchRows = BATCH_ROWS, maxBatches = MAX_BATCHES }: JobCleanUpOptions,
): Promise<number> {
  let deleted = 0;
  for (let batch = 0; batch < maxBatches; batch += 1) {
    const [row] = await db.query(sql`
      with old as materialized (
        select asyncoperationid from airlock.asyncoperation
        where statecode = 3 and completedon < clock_timestamp() - ${retentionMs} * interval '1 millisecond'
        order by completedon limit ${batchRows} for update skip locked),
      gone as (delete from airlock.asyncoperation j using old where j.asyncoperationid = old.asyncoperationid returning j.asyncoperationid),
      attempts as (delete from airlock.asyncoperationattempt a using gone where a.asyncoperationid = gone.asyncoperationid)
      select count(*)::int as count from gone`);
    const count = Number(row?.['count'] ?? 0);
    deleted += count;
    if (count < batchRows) break;
  }
  return deleted;
}
