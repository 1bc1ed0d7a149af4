import { fourAttempts, jobNumbers, type RetryPolicy } from '@airlock/pipeline';
import { type JobAttempt, type JobDetail, PlatformError } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { KnownWorker } from '../bus/worker-directory.ts';
import type { Queryable, Row } from '../store/queryable.ts';
import { traceIdOf } from './attempt-end.ts';
import { StoredState, stateOfRow } from './stored-state.ts';
import { type WaitingFacts, whyWaiting } from './why-waiting.ts';

export interface ReadJobOptions {
  readonly db: Queryable;
  readonly workers: () => readonly KnownWorker[];
  /** Of the step, as it is registered now. */
  readonly stepLimit: (stepId: string) => number | undefined;
  readonly nowMs: () => number;
  readonly policy?: RetryPolicy;
}

/** Older jobs of the step that are counted; with more, the sentence says so. */
const MAX_COUNTED = 1_000;
const MAX_ATTEMPTS = 200;

const JobRow = StoredState.extend({
  asyncoperationid: z.string(),
  name: z.string(),
  pool: z.string(),
  owningextensionid: z.string(),
  dependencytoken: z.string().nullable(),
  sequence: z.number(),
  leaseid: z.string().nullable(),
  dispatcherid: z.string().nullable(),
  hostid: z.string().nullable(),
  startedon: z.string().nullable(),
  modifiedon: z.string(),
  changedby: z.string().nullable(),
});
type JobRow = z.output<typeof JobRow>;

/** A job with all its attempts, and why it waits. */
export async function readJob(options: ReadJobOptions, id: string): Promise<JobDetail> {
  const [found] = await options.db.query(sql`
    select j.asyncoperationid, j.name, j.pool, j.owningextensionid, j.dependencytoken, j.sequence, j.leaseid, j.dispatcherid, j.hostid, j.startedon,
      j.modifiedon, j.statecode, j.statuscode, j.attempt, j.postponeuntil, j.waitingfor, u.fullname as changedby
    from airlock.asyncoperation j left join airlock.systemuser u on u.systemuserid = j.modifiedby
    where j.asyncoperationid = ${id}`);
  if (found === undefined) throw new PlatformError('RECORD_NOT_FOUND', { table: 'System Job', id });
  const row = JobRow.parse(found);
  const state = stateOfRow(row);
  const waits = state.status === 'WaitingForResources' || state.status === 'Waiting';
  return {
    id,
    name: row.name,
    state: nameOf(row.statuscode),
    statecode: row.statecode,
    statuscode: row.statuscode,
    attempts: await attemptsOf(options.db, row),
    waiting: waits ? (whyWaiting(await factsOf(options, row)) ?? null) : null,
  };
}

const nameOf = (statuscode: number): string => Object.entries(jobNumbers).find(([, numbers]) => numbers.statuscode === statuscode)?.[0] ?? '';

async function factsOf({ db, workers, stepLimit, nowMs, policy = fourAttempts }: ReadJobOptions, row: JobRow): Promise<WaitingFacts> {
  const { pool, owningextensionid, dependencytoken, sequence } = row;
  const [[ahead], [counts]] = await Promise.all([
    db.query(sql`
      select asyncoperationid, statuscode, count(*) over ()::int as count from airlock.asyncoperation
      where ${dependencytoken}::text is not null and pool = ${pool} and dependencytoken = ${dependencytoken} and statecode < 3
        and (sequence < ${sequence} or statecode = 2) order by (statecode = 2) desc, sequence limit 1`),
    db.query(sql`
      select
        (select count(*)::int from (select 1 from airlock.asyncoperation where statecode = 0 and dependencytoken is null and pool = ${pool}
          and owningextensionid = ${owningextensionid} and sequence < ${sequence} limit ${MAX_COUNTED}) older) as older,
        (select count(*)::int from airlock.asyncoperation where statecode = 2 and owningextensionid = ${owningextensionid}) as steprunning,
        (select count(*)::int from airlock.asyncoperation where statecode = 2 and pool = ${pool}) as running`),
  ]);
  const ofPool = workers().filter(({ address }) => address.pool === pool);
  const older = Number(counts?.['older'] ?? 0);
  return {
    state: stateOfRow(row),
    nowMs: nowMs(),
    policy,
    pool,
    changedBy: row.changedby ?? undefined,
    changedOn: row.modifiedon,
    ahead:
      ahead === undefined
        ? undefined
        : { id: String(ahead['asyncoperationid']), state: nameOf(Number(ahead['statuscode'])), count: Number(ahead['count']) },
    step: { older, olderIsMore: older === MAX_COUNTED, running: Number(counts?.['steprunning'] ?? 0), limit: stepLimit(owningextensionid) },
    workers: {
      count: ofPool.length,
      draining: ofPool.filter(({ hello }) => hello.draining).length,
      slots: ofPool.filter(({ hello }) => !hello.draining).reduce((sum, { hello }) => sum + hello.capacity, 0),
    },
    running: Number(counts?.['running'] ?? 0),
  };
}

async function attemptsOf(db: Queryable, row: JobRow): Promise<JobAttempt[]> {
  const rows = await db.query(sql`
    select * from airlock.asyncoperationattempt where asyncoperationid = ${row.asyncoperationid} order by attempt, startedon limit ${MAX_ATTEMPTS}`);
  const ended = rows.map(endedAttempt);
  if (row.leaseid === null) return ended;
  const running: JobAttempt = {
    attempt: row.attempt,
    counted: true,
    running: true,
    dispatcherId: row.dispatcherid ?? '',
    workerId: row.hostid,
    startedOn: row.startedon,
    endedOn: null,
    failure: null,
    receipt: null,
    traceId: traceIdOf(row.leaseid),
  };
  return [...ended, running];
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function endedAttempt(row: Row): JobAttempt {
  const kind = text(row['failurekind']);
  return {
    attempt: Number(row['attempt']),
    counted: row['counted'] === true,
    running: false,
    dispatcherId: String(row['dispatcherid']),
    workerId: text(row['workerid']),
    startedOn: text(row['startedon']),
    endedOn: text(row['endedon']),
    failure: kind === null ? null : { kind, errorCode: row['errorcode'] === null ? null : Number(row['errorcode']), message: text(row['message']) },
    receipt:
      row['wallms'] === null
        ? null
        : {
            wallMs: Number(row['wallms']),
            cpuMs: Number(row['cpums']),
            heapBytes: Number(row['heapbytes']),
            residentBytes: Number(row['residentbytes']),
            hostCalls: Number(row['hostcalls']),
            hostCallBytes: Number(row['hostcallbytes']),
            start: String(row['startkind']),
          },
    traceId: String(row['traceid']),
  };
}
