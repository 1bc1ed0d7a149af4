import { sql } from 'drizzle-orm';
import type { Queryable } from '../store/queryable.ts';

export interface HeldLease {
  readonly jobId: string;
  readonly leaseId: string;
}

export interface RenewedLeases {
  /** Leases that are still ours. */
  readonly held: ReadonlySet<string>;
  /** Of those, the jobs that their users cancel. */
  readonly canceling: ReadonlySet<string>;
}

/** The heartbeat: one statement for all, and a no-key update, so that it never waits for the fence of a service call. */
export async function renewLeases(db: Queryable, leases: readonly HeldLease[], leaseMs: number): Promise<RenewedLeases> {
  const rows = await db.query(sql`
    update airlock.asyncoperation j set leaseuntil = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    from unnest(${sql.param(leases.map(({ jobId }) => jobId))}::uuid[], ${sql.param(leases.map(({ leaseId }) => leaseId))}::uuid[]) as held(job, lease)
    where j.asyncoperationid = held.job and j.leaseid = held.lease
    returning j.leaseid, j.statuscode`);
  return {
    held: new Set(rows.map((row) => String(row['leaseid']))),
    canceling: new Set(rows.filter((row) => row['statuscode'] === 22).map((row) => String(row['leaseid']))),
  };
}
