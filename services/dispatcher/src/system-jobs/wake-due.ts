import { sql } from 'drizzle-orm';
import type { Queryable } from '../store/queryable.ts';

const BATCH = 1_000;

/** Jobs whose time has come are ready (`whenDue`, as a statement); every other waiting job stays as it is. Returns how many. */
export async function wakeDue(db: Queryable): Promise<number> {
  const rows = await db.query(sql`
    with due as materialized (
      select asyncoperationid from airlock.asyncoperation
      where statecode = 1 and postponeuntil <= clock_timestamp() and waitingfor in ('retry', 'postponed')
      order by postponeuntil limit ${BATCH} for no key update skip locked)
    update airlock.asyncoperation j
    set statecode = 0, statuscode = 0, postponeuntil = null, waitingfor = null, modifiedon = clock_timestamp(),
      versionnumber = nextval('data.versionnumber')
    from due where j.asyncoperationid = due.asyncoperationid
    returning 1`);
  return rows.length;
}
