import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { PlatformDatabase } from '../store/platform-database.ts';
import type { Queryable } from '../store/queryable.ts';

/** A job that this dispatcher holds the lease of. */
const ClaimedJob = z.object({
  asyncoperationid: z.string(),
  leaseid: z.string(),
  /** Number of the try that begins. */
  attempt: z.number(),
  name: z.string(),
  owningextensionid: z.string(),
  dependencytoken: z.string().nullable(),
  asyncautodelete: z.boolean(),
  data: z.string(),
});
export type ClaimedJob = z.output<typeof ClaimedJob>;

export interface ClaimRequest {
  readonly pool: string;
  readonly dispatcherId: string;
  readonly leaseMs: number;
  readonly limit: number;
  /** Steps after this one come first, so that turns go round. */
  readonly after: string;
  /** Steps to leave out: they have a limit of their own (see `claimLimited`), or their runs just found no worker. */
  readonly except: readonly string[];
}

/** Steps with waiting jobs that one claim looks at; the next one goes on behind them. */
const MAX_STEPS = 64;
/** Ordering keys that one claim looks at. */
const MAX_KEYS = 128;

const leased = ({ dispatcherId, leaseMs }: Pick<ClaimRequest, 'dispatcherId' | 'leaseMs'>) => sql`
  set statecode = 2, statuscode = 20, attempt = j.attempt + 1, retrycount = j.attempt, leaseid = gen_random_uuid(),
      leaseuntil = clock_timestamp() + ${leaseMs} * interval '1 millisecond', dispatcherid = ${dispatcherId}, hostid = null, waitingfor = null,
      postponeuntil = null, startedon = clock_timestamp(), modifiedon = clock_timestamp(), versionnumber = nextval('data.versionnumber')`;
const claimed = sql`j.asyncoperationid, j.leaseid, j.attempt, j.name, j.owningextensionid, j.dependencytoken, j.asyncautodelete, j.data`;

/**
 * Takes jobs that may start, of every step that has some in turn, so that a flood of one does not starve the others. The
 * steps are found by jumping through the index (as many probes as there are steps with jobs), then each gives its share of
 * its oldest jobs: the cost does not depend on how many wait.
 */
export async function claimJobs(db: Queryable, request: ClaimRequest): Promise<readonly ClaimedJob[]> {
  const { pool, limit, after, except } = request;
  const ready = sql`statecode = 0 and dependencytoken is null and pool = ${pool}`;
  const rows = await db.query(sql`
    with recursive step as (
      (select owningextensionid as id, 1 as n from airlock.asyncoperation
       where ${ready} and owningextensionid > ${after}::uuid order by owningextensionid limit 1)
      union all
      select (select j.owningextensionid from airlock.asyncoperation j
              where j.statecode = 0 and j.dependencytoken is null and j.pool = ${pool} and j.owningextensionid > step.id
              order by j.owningextensionid limit 1), step.n + 1
      from step where step.id is not null and step.n < ${MAX_STEPS}),
    turn as materialized (
      select step.id, 1 + first.priority as share
      from step cross join lateral (
        select j.priority from airlock.asyncoperation j
        where j.statecode = 0 and j.dependencytoken is null and j.pool = ${pool} and j.owningextensionid = step.id
        order by j.sequence limit 1) first
      where step.id is not null and not step.id = any(${sql.param(except)}::uuid[])),
    picked as materialized (
      select p.asyncoperationid
      from turn cross join lateral (
        select j.asyncoperationid from airlock.asyncoperation j
        where j.statecode = 0 and j.dependencytoken is null and j.pool = ${pool} and j.owningextensionid = turn.id
        order by j.sequence
        limit ceil(${limit}::float8 * turn.share / (select sum(share) from turn))::bigint
        for update skip locked) p
      limit ${limit})
    update airlock.asyncoperation j ${leased(request)}
    from picked where j.asyncoperationid = picked.asyncoperationid
    returning ${claimed}`);
  return rows.map((row) => ClaimedJob.parse(row));
}

export interface LimitedStep {
  readonly stepId: string;
  /** Jobs that may run at once, over all dispatchers. */
  readonly limit: number;
}

/** What claims that have to see each other's results wait for. Any number serves, as long as all dispatchers take the same. */
const CLAIM_LOCK = 4_207_849_485;

/**
 * Jobs of which only so many may run at once: those with an ordering key and those of steps with a limit. One dispatcher
 * after the other: two that looked at the same moment would each find room for one more. Two statements, because one sees
 * only what was there when it began, before it had the lock.
 */
export async function claimConstrained(
  db: PlatformDatabase,
  request: ClaimRequest & { readonly limited: readonly LimitedStep[]; readonly afterKey: string },
): Promise<ConstrainedClaim> {
  return await db.inTransaction(async (tx) => {
    await tx.query(sql`select pg_advisory_xact_lock(${CLAIM_LOCK})`);
    const limited = request.limited.length === 0 ? [] : await claimLimited(tx, request);
    const left = request.limit - limited.length;
    const ordered = left > 0 ? await claimOrdered(tx, { ...request, limit: left }) : { jobs: [], lastKey: request.afterKey };
    return { jobs: [...limited, ...ordered.jobs], lastKey: ordered.lastKey };
  });
}

export interface ConstrainedClaim {
  readonly jobs: readonly ClaimedJob[];
  /** Where the next look at ordering keys goes on; empty: from the start. */
  readonly lastKey: string;
}

async function claimLimited(tx: Queryable, request: ClaimRequest & { readonly limited: readonly LimitedStep[] }): Promise<readonly ClaimedJob[]> {
  const { pool, limit, limited } = request;
  const rows = await tx.query(sql`
    with picked as materialized (
      select p.asyncoperationid
      from unnest(${sql.param(limited.map(({ stepId }) => stepId))}::uuid[], ${sql.param(limited.map((each) => each.limit))}::int[]) as step(id, most)
      cross join lateral (
        select j.asyncoperationid from airlock.asyncoperation j
        where j.statecode = 0 and j.dependencytoken is null and j.pool = ${pool} and j.owningextensionid = step.id
        order by j.sequence
        limit greatest(0, step.most - (select count(*) from airlock.asyncoperation r where r.statecode = 2 and r.owningextensionid = step.id))
        for update skip locked) p
      limit ${limit})
    update airlock.asyncoperation j ${leased(request)}
    from picked where j.asyncoperationid = picked.asyncoperationid
    returning ${claimed}`);
  return rows.map((row) => ClaimedJob.parse(row));
}

const OrderedRow = ClaimedJob.extend({ key: z.string() });

/** The oldest unfinished job of a key, if it may start and none of the key runs. */
async function claimOrdered(
  tx: Queryable,
  request: ClaimRequest & { readonly limited: readonly LimitedStep[]; readonly afterKey: string },
): Promise<ConstrainedClaim> {
  const { pool, limit, limited, afterKey } = request;
  const rows = await tx.query(sql`
    with recursive key as (
      (select dependencytoken as token, 1 as n from airlock.asyncoperation
       where statecode < 3 and dependencytoken is not null and pool = ${pool} and dependencytoken > ${afterKey} order by dependencytoken limit 1)
      union all
      select (select j.dependencytoken from airlock.asyncoperation j
              where j.statecode < 3 and j.dependencytoken is not null and j.pool = ${pool} and j.dependencytoken > key.token
              order by j.dependencytoken limit 1), key.n + 1
      from key where key.token is not null and key.n < ${MAX_KEYS}),
    head as materialized (
      select key.token, h.asyncoperationid, h.owningextensionid, row_number() over (partition by h.owningextensionid) as place
      from key cross join lateral (
        select j.asyncoperationid, j.owningextensionid, j.statecode from airlock.asyncoperation j
        where j.statecode < 3 and j.dependencytoken is not null and j.pool = ${pool} and j.dependencytoken = key.token
        order by j.sequence limit 1) h
      where key.token is not null and h.statecode = 0
        and not exists (select 1 from airlock.asyncoperation r where r.statecode = 2 and r.dependencytoken = key.token)),
    picked as materialized (
      select j.asyncoperationid from head join airlock.asyncoperation j on j.asyncoperationid = head.asyncoperationid
      left join unnest(${sql.param(limited.map(({ stepId }) => stepId))}::uuid[], ${sql.param(limited.map((each) => each.limit))}::int[]) as step(id, most)
        on step.id = head.owningextensionid
      where step.id is null
         or head.place <= step.most - (select count(*) from airlock.asyncoperation r where r.statecode = 2 and r.owningextensionid = step.id)
      limit ${limit} for update of j skip locked),
    claimed as (
      update airlock.asyncoperation j ${leased(request)}
      from picked where j.asyncoperationid = picked.asyncoperationid
      returning ${claimed})
    select claimed.*, last.token as key
    from (select max(token) as token from key) last left join claimed on true`);
  const [first] = rows;
  const jobs = rows.filter((row) => row['asyncoperationid'] !== null).map((row) => OrderedRow.parse(row));
  // Every key that there is was looked at, or the look ended behind the last one: begin again.
  const last = first?.['key'];
  return { jobs, lastKey: typeof last === 'string' ? last : '' };
}
