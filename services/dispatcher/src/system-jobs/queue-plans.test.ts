import { sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import type { PlatformDatabase } from '../store/platform-database.ts';
import type { Queryable } from '../store/queryable.ts';
import { claimConstrained, claimJobs } from './claim-jobs.ts';
import { enqueue, migrated, openQueue, request } from './fixture.ts';
import { renewLeases } from './renew-leases.ts';
import { wakeDue } from './wake-due.ts';
import { writeEnds } from './write-ends.ts';

const QUEUED = 100_000;
const database = useDatabase({ template: migrated });
let db: PlatformDatabase;

beforeAll(async () => {
  db = openQueue(database.url);
  // Statistics of a table with one row, and never again: what the planner believes is wrong by five orders of magnitude. One
  // row is worse than none: then it takes the first index of the step that comes, and sorts.
  await db.query(sql`alter table airlock.asyncoperation set (autovacuum_enabled = false)`);
  await enqueue(db, { step: '10000000-0000-0000-0000-000000000000' });
  await db.query(sql`analyze airlock.asyncoperation`);
  for (let part = 0; part < 10; part += 1) await enqueue(db, { count: QUEUED / 10, step: '10000000-0000-0000-0000-000000000000' });
  await enqueue(db, { count: 50, step: '20000000-0000-0000-0000-000000000000' });
  await enqueue(db, { count: 1_000, step: '30000000-0000-0000-0000-000000000000', key: 'one key' });
}, 120_000);
afterAll(() => db[Symbol.asyncDispose]());

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Runs what the work asks as EXPLAIN ANALYZE (it does happen), and says what each statement touched. */
async function explained(
  work: (queue: PlatformDatabase) => Promise<unknown>,
): Promise<readonly { readonly touched: number; readonly scans: readonly string[] }[]> {
  const found: { touched: number; scans: string[] }[] = [];
  const dialect = new PgDialect();
  const explaining = (inner: Queryable): Queryable => ({
    query: async (statement) => {
      const { sql: text } = dialect.sqlToQuery(statement);
      if (text.includes('advisory')) return await inner.query(statement);
      const rows = await inner.query(sql`explain (analyze, format json) ${statement}`);
      const [{ Plan: plan } = { Plan: undefined }] = (rows[0]?.['QUERY PLAN'] ?? []) as readonly { readonly Plan: PlanNode }[];
      if (plan !== undefined) found.push(measured(plan));
      return [];
    },
  });
  const queue = { ...explaining(db), inTransaction: (run: (tx: Queryable) => Promise<unknown>) => db.inTransaction((tx) => run(explaining(tx))) };
  await work(queue as unknown as PlatformDatabase);
  return found;
}

function measured(plan: PlanNode): { touched: number; scans: string[] } {
  const inner = (plan.Plans ?? []).map(measured);
  const isScan = plan['Relation Name'] === 'asyncoperation' && plan['Node Type'].includes('Scan');
  const own = isScan ? (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'] : 0;
  return {
    touched: own + inner.reduce((sum, { touched }) => sum + touched, 0),
    scans: [...(isScan ? [plan['Node Type']] : []), ...inner.flatMap(({ scans }) => scans)],
  };
}

const within = (statements: Awaited<ReturnType<typeof explained>>, rows: number) => {
  expect(statements.length).toBeGreaterThan(0);
  for (const { touched, scans } of statements) {
    expect(touched).toBeLessThan(rows);
    expect(scans.filter((name) => !name.startsWith('Index'))).toEqual([]);
  }
};

test('a claim touches about as many rows as it takes, with a hundred thousand queued and statistics of a table with one row', async () => {
  within(await explained((queue) => claimJobs(queue, request({ limit: 10 }))), 100);
});

test('so does a claim of ordered and limited jobs', async () => {
  const limited = [{ stepId: '20000000-0000-0000-0000-000000000000', limit: 5 }];
  within(await explained((queue) => claimConstrained(queue, { ...request({ limit: 10 }), limited, afterKey: '' })), 200);
});

test('results, heartbeats and the look for what is due find their rows by index', async () => {
  const jobs = await claimJobs(db, request({ limit: 5 }));
  const leases = jobs.map((job) => ({ jobId: job.asyncoperationid, leaseId: job.leaseid }));
  within(await explained((queue) => renewLeases(queue, leases, 10_000)), 50);
  within(await explained((queue) => wakeDue(queue)), 50);
  const ends = jobs.map(({ asyncoperationid: id, leaseid: lease }) => ({
    id,
    lease,
    assumed: 20,
    remove: false,
    counted: true,
    statecode: 3,
    statuscode: 30,
    attempt: 1,
    retrycount: 0,
    completed: true,
    tried: 1,
    ran: true,
    startedms: 0,
    endedms: 0,
  }));
  within(await explained((queue) => writeEnds(queue, ends)), 50);
  expect(await db.query(sql`select count(*)::int as count from airlock.asyncoperation where statuscode = 30`)).toEqual([{ count: 5 }]);
});
