import { type ClaimedJob, claimJobs } from '@airlock/dispatcher/system-jobs/claim-jobs';
import { endRow } from '@airlock/dispatcher/system-jobs/decide-end';
import { openJobDatabase } from '@airlock/dispatcher/system-jobs/job-database';
import { writeEnds } from '@airlock/dispatcher/system-jobs/write-ends';
import { type Attempt, fourAttempts } from '@airlock/pipeline';
import type { BenchCase, BenchReport } from './case.ts';
import { startBenchJobs, withJobTable } from './jobs-airlock.ts';
import { type Measured, summarize } from './measure.ts';

const BACKLOG = 100_000;
const RUNS = 300;
const TIMEOUTS = { statementTimeoutMs: 60_000, lockTimeoutMs: 10_000, idleInTransactionTimeoutMs: 10_000 };
const POOL = 'backlog';
const NO_STEP = '00000000-0000-0000-0000-000000000000';

/** Claim and completion of the next job, with few and with a hundred thousand behind it, and statistics of an empty queue. */
export const backlogJobs: BenchCase = {
  name: 'jobs-backlog',
  run: async (servers): Promise<BenchReport> => {
    const name = 'jobs_backlog';
    await using jobs = await startBenchJobs(servers, name);
    await withJobTable(jobs, 'bench_job', { stateless: true });
    const { sql } = jobs;
    await using db = openJobDatabase({ url: await servers.database(name), ...TIMEOUTS });
    // Into a pool that nobody serves: the runner of the dispatcher leaves them to us.
    const fill = (count: number) => sql`
      insert into airlock.asyncoperation (name, messagename, primaryentitytype, owningextensionid, correlationid, depth, data, pool, bundledigest, ownerid, createdby)
      select name, messagename, primaryentitytype, owningextensionid, correlationid, depth, data, ${POOL}, bundledigest, ownerid, createdby
      from (select * from airlock.asyncoperation where name = 'bench_job' limit 1) one, generate_series(1, ${count})`;
    const one = async () => {
      const request = { pool: POOL, dispatcherId: 'bench', leaseMs: 60_000, limit: 1, after: NO_STEP, except: [] };
      const [job] = await claimJobs(db, request);
      if (job === undefined) throw new Error('the queue of the bench is empty');
      await writeEnds(db, [ended(job)]);
    };
    const measure = async (what: string): Promise<Measured> => {
      for (let run = 0; run < RUNS / 3; run++) await one();
      const times: number[] = [];
      for (let run = 0; run < RUNS; run++) {
        const startedAt = performance.now();
        await one();
        times.push(performance.now() - startedAt);
      }
      return summarize(what, times);
    };
    await sql`alter table airlock.asyncoperation set (autovacuum_enabled = false)`;
    await sql`analyze airlock.asyncoperation`;
    await fill(2 * RUNS);
    const few = await measure('claim and completion of one job, few are queued');
    await fill(BACKLOG);
    const many = await measure(`claim and completion of one job, ${BACKLOG} are queued, old statistics`);
    return {
      measured: [few, many],
      ratios: [{ name: 'claim and completion with a backlog / without', ratio: many.medianMs / few.medianMs, atMost: 1.3 }],
    };
  },
};

function ended(job: ClaimedJob) {
  const now = Date.now();
  const end = { job, startedAtMs: now, endedAtMs: now, workerId: undefined, receipt: undefined, failure: undefined };
  return endRow(end, { status: 'InProgress', attempt: job.attempt as Attempt }, 20, { policy: fourAttempts, now, jitter: 0 });
}
