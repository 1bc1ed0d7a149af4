import { sql } from 'drizzle-orm';
import type { Queryable } from '../store/queryable.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const BATCH_ROWS = 1_000;
const MAX_BATCHES = 1_000;

/**
 * "Daily bulk-delete job removes rows older than 24 h" (statement 63). In batches of their own, so that no lock is held for
 * long; two dispatchers at once share the work. What is left after the last batch is for the next run. Returns the count.
 */
export async function cleanUpTraceLog(
  db: Queryable,
  nowMs: number,
  options: { readonly retentionMs?: number; readonly batchRows?: number; readonly maxBatches?: number } = {},
): Promise<number> {
  const { retentionMs = DAY_MS, batchRows = BATCH_ROWS, maxBatches = MAX_BATCHES } = options;
  const before = new Date(nowMs - retentionMs).toISOString();
  let deleted = 0;
  for (let batch = 0; batch < maxBatches; batch += 1) {
    const rows = await db.query(sql`
      with old as (
        select plugintracelogid from airlock.plugintracelog where createdon < ${before}::timestamptz
        order by createdon limit ${batchRows} for update skip locked),
      gone as (delete from airlock.plugintracelog t using old where t.plugintracelogid = old.plugintracelogid returning 1)
      select count(*)::integer as count from gone`);
    const count = Number(rows[0]?.['count'] ?? 0);
    deleted += count;
    if (count < batchRows) break;
  }
  return deleted;
}
