import { type Failure, fourAttempts, OperationStatus } from '@airlock/pipeline';
import { createLogger } from '@airlock/telemetry';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import type { PlatformDatabase } from '../store/platform-database.ts';
import { SYSTEM_USER_ID } from '../store/well-known.ts';
import { actOnJobs } from './act-on-jobs.ts';
import type { AttemptEnd } from './attempt-end.ts';
import { type ClaimedJob, claimJobs } from './claim-jobs.ts';
import { cleanUpJobs } from './clean-up-jobs.ts';
import { EndWriter } from './end-writer.ts';
import { holdFence } from './fence.ts';
import { attemptsOf, enqueue, jobRow, migrated, openQueue, request } from './fixture.ts';
import { renewLeases } from './renew-leases.ts';
import { takeOverLost } from './take-over-lost.ts';
import { wakeDue } from './wake-due.ts';

const database = useDatabase({ template: migrated });
let db: PlatformDatabase;
let other: PlatformDatabase;
let writer: EndWriter;
beforeAll(() => {
  db = openQueue(database.url);
  other = openQueue(database.url);
  writer = new EndWriter({ db, policy: fourAttempts, log: createLogger({ service: 'test', level: 'silent' }), nowMs: () => Date.now() });
});
afterAll(async () => {
  await writer[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await db.query(sql`truncate airlock.asyncoperation, airlock.asyncoperationattempt`);
});

const error = { name: 'Error', message: 'no', stack: '' };
const rejected = (status: OperationStatus, retryAfterMs?: number): Failure => ({
  origin: 'plug-in',
  kind: 'rejected',
  rejection: { status, errorCode: 7, httpStatus: 0, message: 'no', details: {}, retryAfterMs },
  error,
});
const lost: Failure = { origin: 'platform', kind: 'worker-lost', workerId: 'w1' };
const shuttingDown: Failure = { origin: 'platform', kind: 'shutting-down' };
const endOf = (job: ClaimedJob, failure?: Failure): AttemptEnd => ({
  job,
  startedAtMs: Date.now() - 5,
  endedAtMs: Date.now(),
  workerId: 'w1',
  receipt: { wallMs: 5, cpuMs: 1, heapBytes: 10, residentBytes: 20, hostCalls: 1, hostCallBytes: 2, start: 'reused' },
  failure,
});
async function claimOne(options: Parameters<typeof enqueue>[1] = {}): Promise<ClaimedJob> {
  await enqueue(db, options);
  const [job] = await claimJobs(db, request());
  if (job === undefined) throw new Error('there was one to claim');
  return job;
}
const act = (job: ClaimedJob, kind: 'cancel' | 'pause' | 'resume' | 'delete') =>
  db.inTransaction((tx) => actOnJobs(tx, { ids: [job.asyncoperationid], action: { kind }, actor: SYSTEM_USER_ID }));
const expire = (job: ClaimedJob) =>
  db.query(sql`update airlock.asyncoperation set leaseuntil = now() - interval '1 second' where asyncoperationid = ${job.asyncoperationid}`);
const takeOver = (queue = db) => takeOverLost(queue, { policy: fourAttempts, nowMs: Date.now(), random: () => 0.5 });

test('a success completes the job and keeps its attempt with what it used', async () => {
  const job = await claimOne();
  await writer.write(endOf(job));
  expect(await jobRow(db, job.asyncoperationid)).toMatchObject({ statecode: 3, statuscode: 30, leaseid: null, executiontimespan: 5, hostid: 'w1' });
  expect(await attemptsOf(db, job.asyncoperationid)).toMatchObject([
    { attempt: 1, counted: true, result: 30, failurekind: null, wallms: 5, startkind: 'reused', traceid: job.leaseid.replaceAll('-', '') },
  ]);
});

test('many ends are written together, each into its own state', async () => {
  await enqueue(db, { count: 60 });
  const jobs = await claimJobs(db, request({ limit: 60 }));
  const failures = [
    undefined,
    rejected(OperationStatus.Failed),
    rejected(OperationStatus.Canceled),
    rejected(OperationStatus.Suspended),
    shuttingDown,
  ];
  await Promise.all(jobs.map((job, index) => writer.write(endOf(job, failures[index % failures.length]))));
  const rows = await db.query(sql`select statuscode, count(*)::int as count from airlock.asyncoperation group by 1 order by 1`);
  expect(rows).toEqual([0, 10, 30, 31, 32].map((statuscode) => ({ statuscode, count: 12 })));
});

test('a retry waits for the delay that was asked for, and is ready when its time has come', async () => {
  const job = await claimOne();
  await writer.write(endOf(job, rejected(OperationStatus.Retry, 3_000)));
  const row = await jobRow(db, job.asyncoperationid);
  expect(row).toMatchObject({ statuscode: 10, waitingfor: 'retry', attempt: 1, retrycount: 1 });
  expect(await wakeDue(db)).toBe(0);
  await db.query(sql`update airlock.asyncoperation set postponeuntil = now() - interval '1 second' where asyncoperationid = ${job.asyncoperationid}`);
  expect(await wakeDue(db)).toBe(1);
  const [again] = await claimJobs(db, request());
  expect(again?.attempt).toBe(2);
});

test('an attempt that is given back has its number again', async () => {
  const job = await claimOne();
  await writer.write(endOf(job, shuttingDown));
  const [again] = await claimJobs(db, request());
  expect(again).toMatchObject({ asyncoperationid: job.asyncoperationid, attempt: 1 });
  expect(again?.leaseid).not.toBe(job.leaseid);
  expect(await attemptsOf(db, job.asyncoperationid)).toMatchObject([{ attempt: 1, counted: false }]);
});

test('a job that deletes itself leaves neither row nor attempts when it succeeds, and both when it fails', async () => {
  const first = await claimOne({ autoDelete: true });
  await writer.write(endOf(first, shuttingDown));
  const [again] = await claimJobs(db, request());
  if (again === undefined) throw new Error('it was given back');
  await writer.write(endOf(again));
  expect(await jobRow(db, first.asyncoperationid)).toBeUndefined();
  expect(await attemptsOf(db, first.asyncoperationid)).toEqual([]);
  const failed = await claimOne({ autoDelete: true });
  await writer.write(endOf(failed, rejected(OperationStatus.Failed)));
  expect(await jobRow(db, failed.asyncoperationid)).toMatchObject({ statuscode: 31 });
});

test('the end of an attempt that has lost its lease changes nothing', async () => {
  const job = await claimOne();
  await expire(job);
  expect(await takeOver()).toBe(1);
  const before = await jobRow(db, job.asyncoperationid);
  await writer.write(endOf(job));
  expect(await jobRow(db, job.asyncoperationid)).toEqual(before);
  expect(await attemptsOf(db, job.asyncoperationid)).toMatchObject([{ attempt: 1, failurekind: 'platform/worker-lost', dispatcherid: 'd1' }]);
});

test('an attempt under a lease that was given back and claimed anew with the same number is another one', async () => {
  const first = await claimOne();
  await writer.write(endOf(first, shuttingDown));
  const [second] = await claimJobs(db, request({ dispatcherId: 'd2' }));
  expect(second?.attempt).toBe(first.attempt);
  await writer.write(endOf(first, rejected(OperationStatus.Failed)));
  expect(await jobRow(db, first.asyncoperationid)).toMatchObject({ statuscode: 20, leaseid: second?.leaseid });
});

test('four lost attempts are the end of a job, not a loop', async () => {
  await enqueue(db);
  let id = '';
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    const [job] = await claimJobs(db, request());
    if (job === undefined) throw new Error(`attempt ${attempt} was to come`);
    id = job.asyncoperationid;
    await expire(job);
    await takeOver();
    await db.query(sql`update airlock.asyncoperation set postponeuntil = now() - interval '1 second' where statecode = 1`);
    await wakeDue(db);
  }
  expect(await jobRow(db, id)).toMatchObject({ statuscode: 31, attempt: 4, retrycount: 3 });
  expect(await attemptsOf(db, id)).toHaveLength(4);
});

test('a lease that is renewed in time is not taken over, and a heartbeat tells who was cancelled', async () => {
  const job = await claimOne();
  const held = [{ jobId: job.asyncoperationid, leaseId: job.leaseid }];
  await expire(job);
  expect(await renewLeases(db, held, 10_000)).toEqual({ held: new Set([job.leaseid]), canceling: new Set() });
  expect(await takeOver()).toBe(0);
  await act(job, 'cancel');
  expect((await renewLeases(db, held, 10_000)).canceling).toEqual(new Set([job.leaseid]));
  await writer.write(endOf(job, shuttingDown));
  expect(await jobRow(db, job.asyncoperationid)).toMatchObject({ statuscode: 32, leaseid: null });
  expect(await renewLeases(db, held, 10_000)).toEqual({ held: new Set(), canceling: new Set() });
});

test('what a user asked of a running job counts when its attempt ends', async () => {
  const paused = await claimOne();
  await act(paused, 'pause');
  await writer.write(endOf(paused, rejected(OperationStatus.Retry)));
  expect(await jobRow(db, paused.asyncoperationid)).toMatchObject({ statuscode: 10, waitingfor: 'paused', postponeuntil: null });
  const succeeded = await claimOne();
  await act(succeeded, 'cancel');
  await writer.write(endOf(succeeded));
  expect(await jobRow(db, succeeded.asyncoperationid)).toMatchObject({ statuscode: 30 });
});

test('a lost attempt of a job that is being cancelled ends it as cancelled', async () => {
  const job = await claimOne();
  await act(job, 'cancel');
  await expire(job);
  await takeOver();
  expect(await jobRow(db, job.asyncoperationid)).toMatchObject({ statuscode: 32 });
});

test('while a service call of an attempt is in its transaction, nobody takes the lease; afterwards its next call is refused', async () => {
  const job = await claimOne();
  const fence = { jobId: job.asyncoperationid, leaseId: job.leaseid };
  await expire(job);
  await other.inTransaction(async (tx) => {
    await holdFence(tx, fence);
    expect(await takeOver()).toBe(0);
    // Neither a heartbeat nor a result waits for the call.
    await renewLeases(db, [fence], 1);
  });
  await expire(job);
  expect(await takeOver()).toBe(1);
  await expect(other.inTransaction((tx) => holdFence(tx, fence))).rejects.toMatchObject({ code: 'SERVICE_CALL_REFUSED' });
});

test('two dispatchers that look for lost attempts at once count each one once', async () => {
  await enqueue(db, { count: 30 });
  await claimJobs(db, request({ limit: 30 }));
  await db.query(sql`update airlock.asyncoperation set leaseuntil = now() - interval '1 second'`);
  const taken = await Promise.all([takeOver(db), takeOver(other)]);
  const rest = await takeOver();
  expect(taken[0] + taken[1] + rest).toBe(30);
  expect(await db.query(sql`select count(*)::int as count from airlock.asyncoperationattempt`)).toEqual([{ count: 30 }]);
});

test('a lost worker is told by the words of its failure, and never by a stack', async () => {
  const job = await claimOne();
  await writer.write({ ...endOf(job, lost), message: `with NUL \u0000 and half a pair \ud800` });
  expect(await jobRow(db, job.asyncoperationid)).toMatchObject({ statuscode: 10, message: 'with NUL \ufffd and half a pair \ufffd' });
});

test('only completed jobs grow too old, and their attempts go with them', async () => {
  const old = await claimOne();
  await writer.write(endOf(old, rejected(OperationStatus.Failed)));
  const young = await claimOne();
  await writer.write(endOf(young));
  const [waiting = ''] = await enqueue(db);
  await db.query(
    sql`update airlock.asyncoperation set completedon = completedon - interval '2 hours' where asyncoperationid = ${old.asyncoperationid}`,
  );
  await db.query(sql`update airlock.asyncoperation set createdon = createdon - interval '2 years'`);
  expect(await cleanUpJobs(db, { retentionMs: 3_600_000, batchRows: 1 })).toBe(1);
  expect(await jobRow(db, old.asyncoperationid)).toBeUndefined();
  expect(await attemptsOf(db, old.asyncoperationid)).toEqual([]);
  expect(await jobRow(db, young.asyncoperationid)).toBeDefined();
  expect(await jobRow(db, waiting)).toBeDefined();
});

test('an end that the database refuses does not hold up the others', async () => {
  await enqueue(db, { count: 3 });
  const [first, broken, last] = await claimJobs(db, request());
  if (first === undefined || broken === undefined || last === undefined) throw new Error('there were three to claim');
  await Promise.all([writer.write(endOf(first)), writer.write({ ...endOf(broken), endedAtMs: 1e300 }), writer.write(endOf(last))]);
  expect(await jobRow(db, first.asyncoperationid)).toMatchObject({ statuscode: 30 });
  expect(await jobRow(db, last.asyncoperationid)).toMatchObject({ statuscode: 30 });
  expect(await jobRow(db, broken.asyncoperationid)).toMatchObject({ statuscode: 20 });
});
