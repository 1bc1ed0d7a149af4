import { sql } from 'drizzle-orm';
import type { Queryable } from '../store/queryable.ts';

/**
 * Until the transaction ends: two changes of one bundle run one after the other, those of others are not held up. The rows
 * of its steps are locked too, so that what an operator sets meanwhile is neither missed nor overwritten.
 */
export async function lockBundle(tx: Queryable, name: string): Promise<void> {
  await tx.query(sql`select pg_advisory_xact_lock(hashtextextended(${`airlock.bundle ${name}`}, 0))`);
  await tx.query(sql`select 1 from airlock.sdkmessageprocessingstep where managedby = ${name} order by sdkmessageprocessingstepid for update`);
}
