/** What becomes of system jobs when processes die: nothing is lost, nothing is written twice by two attempts at once. */
import { expect, test } from 'vitest';
import { createdId, httpClient } from '../support/http.ts';
import { usePluginSystem } from '../support/plugin-system.ts';

const system = usePluginSystem({
  dispatchers: 2,
  workers: 2,
  dispatcherEnv: { AIRLOCK_JOB_RETRY_MS: '100', AIRLOCK_JOB_LEASE_MS: '2000' },
});
const POLL = { timeout: 30_000, interval: 25 } as const;

const onCreate = (body: string, options = '') => `
  export const later = definePlugin({
    steps: [{ name: 'later', message: 'Create', table: 'account', stage: 'PostOperation', mode: 'Asynchronous', ${options} }],
    async execute({ organizationService, target }) { ${body} },
  });`;
const jobOf = async (accountId: string) => (await system.sql`select * from airlock.asyncoperation where regardingobjectid = ${accountId}`)[0] ?? {};
const attemptsOf = async (jobId: unknown) =>
  await system.sql`select * from airlock.asyncoperationattempt where asyncoperationid = ${String(jobId)} order by attempt, startedon`;
const statusOf = async (accountId: string) => (await jobOf(accountId))['statuscode'];
const reached = async (accountId: string, statuscode: number) => {
  await expect.poll(() => statusOf(accountId), POLL).toBe(statuscode);
  return await jobOf(accountId);
};
/** Runs for long the first time, and only for a moment when it runs again. */
const longOnce = `
  const marks = await organizationService.retrieveMultiple({ table: 'task', columns: ['subject'], conditions: [{ column: 'subject', operator: 'eq', value: 'began ' + target.attributes.name }] });
  await organizationService.create('task', { subject: 'began ' + target.attributes.name });
  if (marks.entities.length === 0) await new Promise((done) => setTimeout(done, 12_000));
  await organizationService.create('task', { subject: 'ended ' + target.attributes.name });`;
const tasks = async (subject: string) => (await system.sql`select 1 from data.task where subject = ${subject}`).length;

test('a worker that is killed in the middle of an attempt costs it that attempt, and another one runs the next', async () => {
  await system.install(onCreate(longOnce));
  const id = await system.create('accounts', { name: 'worker' });
  await expect.poll(() => tasks('began worker'), POLL).toBe(1);
  // Which of the two runs it, only the dispatcher knows.
  for (const worker of system.airlock.workers) worker.kill('SIGKILL');
  await system.airlock.addWorker();
  const job = await reached(id, 30);
  const attempts = await attemptsOf(job['asyncoperationid']);
  expect(attempts[0]).toMatchObject({ attempt: 1, failurekind: 'platform/worker-lost', counted: true });
  // The second attempt may have met the other one in the moment of its death.
  expect([2, 3]).toContain(job['attempt']);
  expect(attempts.at(-1)).toMatchObject({ attempt: job['attempt'], failurekind: null, counted: true });
  expect(await tasks('ended worker')).toBe(1);
});

test('a dispatcher that is told to stop gives its attempt back, and it does not count', async () => {
  await system.install(onCreate(longOnce));
  const stopping = await system.airlock.addDispatcher();
  const there = httpClient(stopping.url, system.http.token);
  // It knows of the worker, so that it runs the job that it commits itself.
  await expect.poll(async () => (await there.request('GET', '/readyz')).status, POLL).toBe(200);
  const id = createdId(await there.request('POST', 'accounts', { body: { name: 'stop' } }));
  await expect.poll(() => tasks('began stop'), POLL).toBe(1);
  await stopping.process.stop();
  const job = await reached(id, 30);
  expect(job).toMatchObject({ attempt: 1, retrycount: 0 });
  const attempts = await attemptsOf(job['asyncoperationid']);
  expect(attempts.map((each) => [each['attempt'], each['failurekind'], each['counted']])).toEqual([
    [1, 'platform/shutting-down', false],
    [1, null, true],
  ]);
  expect(await tasks('ended stop')).toBe(1);
});

test('a dispatcher that is killed in the middle of an attempt loses its lease, and another one takes the job over', async () => {
  await system.install(onCreate(longOnce));
  const id = await system.create('accounts', { name: 'dispatcher' });
  await expect.poll(() => tasks('began dispatcher'), POLL).toBe(1);
  const holder = String((await jobOf(id))['dispatcherid']);
  const victim = system.airlock.dispatchers.find((one) => one.process.lines().some((line) => line.includes(`"dispatcherId":"${holder}"`)));
  victim?.process.kill('SIGKILL');
  await system.airlock.addDispatcher();
  const job = await reached(id, 30);
  const attempts = await attemptsOf(job['asyncoperationid']);
  expect(attempts.map((each) => [each['attempt'], each['failurekind']])).toEqual([
    [1, 'platform/worker-lost'],
    [2, null],
  ]);
  expect(attempts[0]?.['dispatcherid']).toBe(holder);
  expect(attempts[1]?.['dispatcherid']).not.toBe(holder);
  // The first attempt's plug-in was still running when its lease was taken; what it tried to write then was refused.
  expect(await tasks('ended dispatcher')).toBe(1);
});
