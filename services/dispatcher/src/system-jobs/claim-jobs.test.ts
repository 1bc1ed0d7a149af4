import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import type { PlatformDatabase } from '../store/platform-database.ts';
import { claimConstrained, claimJobs } from './claim-jobs.ts';
import { enqueue, idsOf, jobRow, migrated, openQueue, request } from './fixture.ts';

const database = useDatabase({ template: migrated });
let db: PlatformDatabase;
let other: PlatformDatabase;
beforeAll(() => {
  db = openQueue(database.url);
  other = openQueue(database.url);
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await db.query(sql`truncate airlock.asyncoperation, airlock.asyncoperationattempt`);
});

const steps = ['10000000-0000-0000-0000-000000000000', '20000000-0000-0000-0000-000000000000', '30000000-0000-0000-0000-000000000000'] as const;
const constrained = (changes: object = {}) => claimConstrained(db, { ...request(), limited: [], afterKey: '', ...changes });

test('a claimed job is in progress under a lease of its own, and its attempt is counted up', async () => {
  const [id = ''] = await enqueue(db);
  const [job] = await claimJobs(db, request());
  expect(job).toMatchObject({ asyncoperationid: id, attempt: 1 });
  const row = await jobRow(db, id);
  expect(row).toMatchObject({ statecode: 2, statuscode: 20, attempt: 1, retrycount: 0, leaseid: job?.leaseid, dispatcherid: 'd1' });
  expect(Date.parse(String(row?.['leaseuntil']))).toBeGreaterThan(Date.parse(String(row?.['startedon'])) + 9_000);
  expect(await claimJobs(db, request())).toEqual([]);
});

test('jobs of one step are claimed in the order in which they were queued', async () => {
  const [step] = steps;
  const ids = await enqueue(db, { count: 5, step });
  expect(new Set(idsOf(await claimJobs(db, request({ limit: 2 }))))).toEqual(new Set(ids.slice(0, 2)));
  expect(new Set(idsOf(await claimJobs(db, request({ limit: 3 }))))).toEqual(new Set(ids.slice(2)));
});

test('two dispatchers that claim at once never get the same job, and together get all of them', async () => {
  await enqueue(db, { count: 200 });
  const claims: string[] = [];
  const claimAll = async (queue: PlatformDatabase, dispatcherId: string) => {
    for (;;) {
      const jobs = await claimJobs(queue, request({ dispatcherId, limit: 7 }));
      if (jobs.length === 0) return;
      claims.push(...idsOf(jobs));
    }
  };
  await Promise.all([claimAll(db, 'd1'), claimAll(other, 'd2')]);
  // A claim may find all that is left locked by the other one.
  await claimAll(db, 'd1');
  expect(claims).toHaveLength(200);
  expect(new Set(claims).size).toBe(200);
});

test('a flood of one step leaves the others their share', async () => {
  await enqueue(db, { count: 1_000, step: steps[0] });
  const few = [...(await enqueue(db, { count: 2, step: steps[1] })), ...(await enqueue(db, { count: 2, step: steps[2] }))];
  const claimed = new Set(idsOf(await claimJobs(db, request({ limit: 9 }))));
  expect(few.filter((id) => claimed.has(id))).toEqual(few);
});

test('with more steps than room, the next claim goes on behind the last step served', async () => {
  for (const step of steps) await enqueue(db, { count: 5, step });
  const served = async (after: string) => (await claimJobs(db, request({ limit: 1, after })))[0]?.owningextensionid ?? '';
  const first = await served('00000000-0000-0000-0000-000000000000');
  const second = await served(first);
  const third = await served(second);
  expect([first, second, third]).toEqual(steps);
});

test('a step with a priority gets more turns, and the other one still gets its own', async () => {
  await enqueue(db, { count: 100, step: steps[0], priority: 3 });
  await enqueue(db, { count: 100, step: steps[1] });
  const jobs = await claimJobs(db, request({ limit: 20 }));
  const ofFirst = jobs.filter(({ owningextensionid }) => owningextensionid === steps[0]).length;
  expect(ofFirst).toBe(16);
  expect(jobs).toHaveLength(20);
});

test('steps that are left out keep their jobs', async () => {
  await enqueue(db, { step: steps[0] });
  const [id] = await enqueue(db, { step: steps[1] });
  expect(idsOf(await claimJobs(db, request({ except: [steps[0]] })))).toEqual([id]);
});

test('of the jobs with one ordering key one runs at a time, in order', async () => {
  const [first = '', second] = await enqueue(db, { count: 2, step: steps[0], key: 'k1' });
  const [elsewhere] = await enqueue(db, { step: steps[0], key: 'k2' });
  expect(idsOf(await claimJobs(db, request()))).toEqual([]);
  expect(new Set(idsOf((await constrained()).jobs))).toEqual(new Set([first, elsewhere]));
  expect((await constrained()).jobs).toEqual([]);
  await db.query(sql`update airlock.asyncoperation set statecode = 3, statuscode = 30, leaseid = null where asyncoperationid = ${first}`);
  expect(idsOf((await constrained()).jobs)).toEqual([second]);
});

test('a job that waits for its next try holds back those behind it of its key', async () => {
  const [first = ''] = await enqueue(db, { count: 2, step: steps[0], key: 'k1' });
  await db.query(sql`update airlock.asyncoperation set statecode = 1, statuscode = 10, waitingfor = 'paused' where asyncoperationid = ${first}`);
  expect((await constrained()).jobs).toEqual([]);
});

test('a job whose transaction committed late does not start beside a later one of its key that runs', async () => {
  const [late = ''] = await enqueue(db, { step: steps[0], key: 'k1' });
  await db.query(
    sql`update airlock.asyncoperation set statecode = 1, statuscode = 10, waitingfor = 'paused', dependencytoken = 'elsewhere' where asyncoperationid = ${late}`,
  );
  const [running] = await enqueue(db, { step: steps[0], key: 'k1' });
  expect(idsOf((await constrained()).jobs)).toEqual([running]);
  await db.query(
    sql`update airlock.asyncoperation set statecode = 0, statuscode = 0, waitingfor = null, dependencytoken = 'k1' where asyncoperationid = ${late}`,
  );
  expect((await constrained()).jobs).toEqual([]);
});

test('a look at ordering keys goes on where the last one ended, and begins again behind the last key', async () => {
  for (let key = 0; key < 300; key += 1) await enqueue(db, { step: steps[0], key: `k${String(key).padStart(3, '0')}` });
  let afterKey = '';
  let claimed = 0;
  for (let look = 0; look < 4; look += 1) {
    const result = await constrained({ afterKey, limit: 1_000 });
    claimed += result.jobs.length;
    afterKey = result.lastKey;
  }
  expect(claimed).toBe(300);
  expect(afterKey).toBe('');
});

test('a step with a limit never has more jobs in progress, however many dispatchers claim', async () => {
  await enqueue(db, { count: 20, step: steps[0] });
  const limited = [{ stepId: steps[0], limit: 3 }];
  const both = await Promise.all([
    constrained({ limited, except: [steps[0]] }),
    claimConstrained(other, { ...request({ dispatcherId: 'd2' }), limited, afterKey: '', except: [steps[0]] }),
  ]);
  expect(both.flatMap(({ jobs }) => jobs)).toHaveLength(3);
  expect((await constrained({ limited })).jobs).toEqual([]);
});

test('a limit holds for jobs with an ordering key as well', async () => {
  for (const key of ['a', 'b', 'c', 'd']) await enqueue(db, { step: steps[0], key });
  const limited = [{ stepId: steps[0], limit: 2 }];
  expect((await constrained({ limited })).jobs).toHaveLength(2);
  expect((await constrained({ limited })).jobs).toEqual([]);
});

test('jobs of another pool are left alone', async () => {
  await enqueue(db, { count: 3 });
  expect(await claimJobs(db, request({ pool: 'elsewhere' }))).toEqual([]);
});
