import { PlatformError } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import type { Fence } from '../execute-message/operation.ts';
import type { Queryable } from '../store/queryable.ts';

/**
 * The first statement of each transaction that a running attempt causes. The lock stands in the way of whoever takes the
 * lease over (`FOR UPDATE`) and of nobody else (heartbeats and results are no-key updates): until this transaction ends
 * the lease stays, and after it was taken this is refused. So no two attempts of a job ever write side by side.
 */
export async function holdFence(db: Queryable, { jobId, leaseId }: Fence): Promise<void> {
  const rows = await db.query(sql`
    select 1 from airlock.asyncoperation where asyncoperationid = ${jobId} and leaseid = ${leaseId} for key share`);
  if (rows.length === 0) throw refused();
}

/** For reads, which change nothing and need no lock. */
export async function checkFence(db: Queryable, { jobId, leaseId }: Fence): Promise<void> {
  const rows = await db.query(sql`select 1 from airlock.asyncoperation where asyncoperationid = ${jobId} and leaseid = ${leaseId}`);
  if (rows.length === 0) throw refused();
}

function refused(): PlatformError {
  return new PlatformError('SERVICE_CALL_REFUSED', { reason: 'the attempt that makes it has lost its lease' });
}
