/** Statements 48 to 60 of the pipeline's reference: asynchronous steps as system jobs. */
import { expect, test } from 'vitest';
import type { HttpAnswer } from '../support/http.ts';
import { errorOf, usePluginSystem } from '../support/plugin-system.ts';

const system = usePluginSystem({ dispatcherEnv: { AIRLOCK_JOB_RETRY_MS: '100', AIRLOCK_JOB_LEASE_MS: '3000' } });
const POLL = { timeout: 20_000, interval: 25 } as const;

const jobsOf = async (accountId: string) =>
  await system.sql`select * from airlock.asyncoperation where regardingobjectid = ${accountId} order by sequence`;
const attemptsOf = async (jobId: unknown) =>
  await system.sql`select * from airlock.asyncoperationattempt where asyncoperationid = ${String(jobId)} order by attempt, startedon`;
const statesOf = async (accountId: string) => (await jobsOf(accountId)).map((job) => `${job['statecode']}/${job['statuscode']}`);
const reached = async (accountId: string, ...states: readonly string[]) => {
  await expect.poll(() => statesOf(accountId), POLL).toEqual(states);
  return (await jobsOf(accountId))[0] ?? {};
};
const patchJob = (id: unknown, body: object): Promise<HttpAnswer> => system.http.request('PATCH', `asyncoperations(${String(id)})`, { body });
const jobApi = async (id: unknown) => (await system.http.request('GET', `/api/airlock/v1/jobs/${String(id)}`)).body;

/** An asynchronous step on the creation of an account with this body. */
const onCreate = (body: string, options = '') => `
  export const later = definePlugin({
    steps: [{ name: 'later', message: 'Create', table: 'account', stage: 'PostOperation', mode: 'Asynchronous', ${options} }],
    async execute({ organizationService, executionContext, target, tracing }) { ${body} },
  });`;
const spin = (ms: number) => `await new Promise((done) => setTimeout(done, ${ms}));`;

test('statements 48 and 59: when an asynchronous step throws, the caller has its success and the row stays', async () => {
  await system.install(onCreate(`throw new InvalidPluginExecutionException('too late');`));
  const id = await system.create('accounts', { name: 'Stays' });
  await reached(id, '3/31');
  expect(await system.read('accounts', id, 'name')).toMatchObject({ name: 'Stays' });
});

test('statement 49: the job says what it is about', async () => {
  await system.install(onCreate(''));
  const stepId = await system.stepId('later');
  const id = await system.create('accounts', { name: 'About' });
  const [job] = await jobsOf(id);
  expect(job).toMatchObject({
    operationtype: 1,
    messagename: 'Create',
    primaryentitytype: 'account',
    regardingobjectid: id,
    regardingobjectidtype: 'account',
    owningextensionid: stepId,
    depth: 1,
    name: 'later',
  });
  expect(job?.['correlationid']).toMatch(/^[0-9a-f-]{36}$/);
  await reached(id, '3/30');
});

test('statement 50: a job is in progress while it runs, then succeeded or failed with code and message', async () => {
  await system.install(onCreate(`${spin(1_000)} if (target.attributes.name === 'Broken') throw new TypeError('no such thing');`));
  const good = await system.create('accounts', { name: 'Good' });
  await reached(good, '2/20');
  const done = await reached(good, '3/30');
  expect(done['startedon']).toBeInstanceOf(Date);
  expect(done['completedon']).toBeInstanceOf(Date);
  expect(done['executiontimespan']).toBeGreaterThan(500);
  const bad = await system.create('accounts', { name: 'Broken' });
  const failed = await reached(bad, '3/31');
  expect(failed['errorcode']).toBe(0x80040224 | 0);
  expect(failed['message']).toMatch(/TypeError: no such thing/);
  expect(failed['friendlymessage']).toMatch(/^An unexpected error occurred from ISV code\./);
  expect(failed['friendlymessage']).not.toContain('no such thing');
});

test('statement 51: a job that deletes itself is gone when it succeeded, and stays when it failed', async () => {
  await system.install(onCreate(`if (target.attributes.name === 'Broken') throw new Error('no');`, 'asyncAutoDelete: true,'));
  const good = await system.create('accounts', { name: 'Good' });
  await reached(good);
  const traces = () => system.sql`select attempt from airlock.plugintracelog where stepname = 'later' and mode = 1 and primaryentityid = ${good}`;
  await expect.poll(async () => (await traces()).map((row) => row['attempt']), POLL).toEqual([1]);
  const bad = await system.create('accounts', { name: 'Broken' });
  await reached(bad, '3/31');
});

test('statement 52: a plug-in that always asks for a retry runs exactly four times, and then its job is failed', async () => {
  await system.install(onCreate(`throw new InvalidPluginExecutionException('not yet', { status: OperationStatus.Retry, errorCode: 77 });`));
  const id = await system.create('accounts', { name: 'Never' });
  const job = await reached(id, '3/31');
  expect(job).toMatchObject({ attempt: 4, retrycount: 3, friendlymessage: 'not yet' });
  const attempts = await attemptsOf(job['asyncoperationid']);
  expect(attempts.map((each) => each['attempt'])).toEqual([1, 2, 3, 4]);
  expect(attempts.map((each) => each['failurekind'])).toEqual(Array(4).fill('plug-in/rejected'));
  expect(new Set(attempts.map((each) => each['traceid'])).size).toBe(4);
  for (const each of attempts) expect(each['workerid']).toMatch(/./);
  const traces = await system.sql`select attempt from airlock.plugintracelog where asyncoperationid = ${job['asyncoperationid']} order by attempt`;
  expect(traces.map((row) => row['attempt'])).toEqual([1, 2, 3, 4]);
});

test('statements 53 and 54: two retries and then success is three executions; in between the job waits with a time', async () => {
  await system.install(
    onCreate(`
      const seen = await organizationService.retrieveMultiple({ table: 'task', columns: ['subject'], conditions: [{ column: 'subject', operator: 'eq', value: 'tried' }] });
      if (seen.entities.length >= 2) return;
      await organizationService.create('task', { subject: 'tried' });
      throw new InvalidPluginExecutionException('again', { status: OperationStatus.Retry, errorCode: 1 });`),
  );
  await system.sql`delete from data.task where subject = 'tried'`;
  const id = await system.create('accounts', { name: 'Third time' });
  await expect.poll(() => jobsOf(id).then(([job]) => job?.['statuscode'] === 10 && job['postponeuntil'] instanceof Date), POLL).toBe(true);
  const job = await reached(id, '3/30');
  expect(job).toMatchObject({ attempt: 3, retrycount: 2, errorcode: null, postponeuntil: null });
  expect(await attemptsOf(job['asyncoperationid'])).toHaveLength(3);
});

test.for([
  ['a rejection', `throw new InvalidPluginExecutionException('no');`, '3/31', 0x80040265 | 0],
  ['any other exception', `throw new RangeError('no');`, '3/31', 0x80040224 | 0],
  ['a sandbox limit', 'while (true) {}', '3/31', 0x8008f001 | 0],
] as const)('statement 55: %s is not tried again', async ([, body, state, code]) => {
  await system.install(onCreate(body, 'limits: { cpuMs: 300 },'));
  const id = await system.create('accounts', { name: 'Once' });
  const job = await reached(id, state);
  expect(job).toMatchObject({ errorcode: code, retrycount: 0 });
  expect(await attemptsOf(job['asyncoperationid'])).toHaveLength(1);
});

test.for([
  ['Canceled', '3/32'],
  ['Succeeded', '3/30'],
] as const)('a plug-in that ends with the status %s brings its job there', async ([status, state]) => {
  await system.install(onCreate(`throw new InvalidPluginExecutionException('so be it', { status: OperationStatus.${status}, errorCode: 1 });`));
  await reached(await system.create('accounts', { name: status }), state);
});

test('statement 56: a suspended job waits until it is resumed, and can be cancelled; a completed one refuses', async () => {
  await system.install(onCreate(`throw new InvalidPluginExecutionException('wait for me', { status: OperationStatus.Suspended, errorCode: 1 });`));
  const id = await system.create('accounts', { name: 'Suspended' });
  const { asyncoperationid: jobId } = await reached(id, '1/10');
  expect(await jobApi(jobId)).toMatchObject({ state: 'Waiting', waiting: { why: 'suspended' } });
  expect((await patchJob(jobId, { statecode: 0, statuscode: 0 })).status).toBe(204);
  await expect.poll(async () => (await attemptsOf(jobId)).length, POLL).toBe(2);
  await reached(id, '1/10');
  expect((await patchJob(jobId, { statecode: 3, statuscode: 32 })).status).toBe(204);
  await reached(id, '3/32');
  expect(errorOf(await patchJob(jobId, { statecode: 3, statuscode: 32 })).code).toBe('0x80044162');
  expect(errorOf(await patchJob(jobId, { statecode: 0 })).code).toBe('0x80044166');
  expect((await system.http.request('DELETE', `asyncoperations(${String(jobId)})`)).status).toBe(204);
  expect(await attemptsOf(jobId)).toEqual([]);
});

test('statement 56: a job that runs is cancelled on its worker, long before its time', async () => {
  await system.install(onCreate(`${spin(60_000)} await organizationService.create('task', { subject: 'after the cancel' });`));
  const id = await system.create('accounts', { name: 'Endless' });
  const { asyncoperationid: jobId } = await reached(id, '2/20');
  expect(errorOf(await system.http.request('DELETE', `asyncoperations(${String(jobId)})`)).code).toBe('0x8004416a');
  expect((await patchJob(jobId, { statecode: 3 })).status).toBe(204);
  await reached(id, '3/32');
  expect(await system.sql`select 1 from data.task where subject = 'after the cancel'`).toEqual([]);
});

test('statement 57: a postponed job does not start before its time, and a retry that is due later can be made now', async () => {
  await system.install(onCreate(`throw new InvalidPluginExecutionException('later', { status: OperationStatus.Retry, retryAfterMs: 60_000 });`));
  const id = await system.create('accounts', { name: 'Postponed' });
  const { asyncoperationid: jobId, postponeuntil, modifiedon } = await reached(id, '1/10');
  expect(Math.round((Number(postponeuntil) - Number(modifiedon)) / 1_000)).toBe(60);
  expect(await jobApi(jobId)).toMatchObject({ waiting: { why: 'retry', numbers: { attempt: 2, maxAttempts: 4 } } });

  const until = new Date(Date.now() + 1_500);
  expect((await patchJob(jobId, { postponeuntil: until.toISOString() })).status).toBe(204);
  expect(await jobApi(jobId)).toMatchObject({ waiting: { why: 'postponed' } });
  await expect.poll(async () => (await attemptsOf(jobId)).length, POLL).toBe(2);
  expect(Number((await attemptsOf(jobId))[1]?.['startedon'])).toBeGreaterThanOrEqual(Number(until));

  await reached(id, '1/10');
  const answer = await system.http.request('POST', '/api/airlock/v1/jobs/retry-now', { body: { ids: [jobId] } });
  expect(answer.body).toEqual({ matched: 1, done: 1, refused: [], more: false });
  await expect.poll(async () => (await attemptsOf(jobId)).length, POLL).toBe(3);
});

test('a job that is paused while it runs waits when it needs another attempt', async () => {
  await system.install(onCreate(`${spin(1_000)} throw new InvalidPluginExecutionException('again', { status: OperationStatus.Retry });`));
  const id = await system.create('accounts', { name: 'Paused' });
  const { asyncoperationid: jobId } = await reached(id, '2/20');
  expect((await patchJob(jobId, { statecode: 1, statuscode: 10 })).status).toBe(204);
  expect(await statesOf(id)).toEqual(['2/21']);
  await reached(id, '1/10');
  expect(await jobApi(jobId)).toMatchObject({ waiting: { why: 'paused' } });
  expect((await patchJob(jobId, { statecode: 3 })).status).toBe(204);
});

test('statement 58: what an asynchronous plug-in writes passes the whole pipeline, one deeper, with the same correlation', async () => {
  await system.install(`${onCreate(`await organizationService.create('task', { subject: 'deeper' });`)}
    export const inner = definePlugin({
      steps: [{ name: 'inner', message: 'Create', table: 'task', stage: 'PreOperation' }],
      execute({ executionContext, tracing }) {
        tracing.trace(JSON.stringify({ depth: executionContext.depth, mode: executionContext.mode, parent: executionContext.parentContext.parentContext.mode }));
      },
    });`);
  const id = await system.create('accounts', { name: 'Outer' });
  const job = await reached(id, '3/30');
  const read = () =>
    system.sql`select depth, messageblock from airlock.plugintracelog where stepname = 'inner' and correlationid = ${job['correlationid']}`;
  await expect.poll(async () => (await read()).map((row) => row['depth']), POLL).toEqual([2]);
  expect(JSON.parse(String((await read())[0]?.['messageblock']))).toEqual({ depth: 2, mode: 0, parent: 1 });
});

test('statement 60: jobs of one row may run side by side', async () => {
  await system.install(`
    ${onCreate(spin(1_500))}
    export const other = definePlugin({
      steps: [{ name: 'other', message: 'Create', table: 'account', stage: 'PostOperation', mode: 'Asynchronous' }],
      async execute() { ${spin(1_500)} },
    });`);
  const id = await system.create('accounts', { name: 'Two' });
  await reached(id, '2/20', '2/20');
  await reached(id, '3/30', '3/30');
});

test('an operation that is rolled back queues nothing', async () => {
  await system.install(`${onCreate('')}
    export const no = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PostOperation' }],
      execute() { throw new InvalidPluginExecutionException('no'); },
    });`);
  const before = await system.sql`select count(*)::int as count from airlock.asyncoperation`;
  expect((await system.http.request('POST', 'accounts', { body: { name: 'Rolled back' } })).status).toBe(400);
  expect(await system.sql`select count(*)::int as count from airlock.asyncoperation`).toEqual(before);
});

test('a nested operation whose failure the plug-in caught queues nothing, and the rest of the transaction does', async () => {
  await system.install(`${onCreate('')}
    export const careful = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PostOperation' }],
      async execute({ organizationService }) { try { await organizationService.create('task', { subject: 'refused' }); } catch {} },
    });
    export const refuse = definePlugin({
      steps: [{ message: 'Create', table: 'task', stage: 'PostOperation', rank: 2 }],
      execute({ target }) { if (target.attributes.subject === 'refused') throw new InvalidPluginExecutionException('no'); },
    });
    export const ofTask = definePlugin({
      steps: [{ name: 'of task', message: 'Create', table: 'task', stage: 'PostOperation', mode: 'Asynchronous' }],
      execute() {},
    });`);
  await reached(await system.create('accounts', { name: 'Careful' }), '3/30');
  expect(await system.sql`select 1 from airlock.asyncoperation where name = 'of task'`).toEqual([]);
});

test('who is no author may neither read nor change jobs', async () => {
  await system.install(onCreate(`throw new InvalidPluginExecutionException('wait', { status: OperationStatus.Suspended, errorCode: 1 });`));
  const id = await system.create('accounts', { name: 'Private' });
  const { asyncoperationid: jobId } = await reached(id, '1/10');
  const { client } = await system.account('user');
  expect((await client.request('PATCH', `asyncoperations(${String(jobId)})`, { body: { statecode: 3 } })).status).toBe(403);
  expect((await client.request('DELETE', `asyncoperations(${String(jobId)})`)).status).toBe(403);
  expect((await client.request('GET', `/api/airlock/v1/jobs/${String(jobId)}`)).status).toBe(403);
  expect((await client.request('POST', '/api/airlock/v1/jobs/cancel', { body: { ids: [jobId] } })).status).toBe(403);
  await reached(id, '1/10');
  const author = await system.account('author');
  expect((await author.client.request('PATCH', `asyncoperations(${String(jobId)})`, { body: { name: 'mine' } })).status).toBe(400);
  expect((await author.client.request('PATCH', `asyncoperations(${String(jobId)})`, { body: { statecode: 3 } })).status).toBe(204);
});

test('one request acts on all jobs of a filter, and counts those that refuse', async () => {
  await system.install(
    onCreate(
      `if (target.attributes.name === 'done') return; throw new InvalidPluginExecutionException('wait', { status: OperationStatus.Suspended, errorCode: 1 });`,
    ),
  );
  const stepId = await system.stepId('later');
  for (const name of ['a', 'b', 'c', 'done']) await system.create('accounts', { name });
  const waiting = () => system.sql`select 1 from airlock.asyncoperation where owningextensionid = ${stepId} and statecode in (0, 2)`;
  await expect.poll(async () => (await waiting()).length, POLL).toBe(0);
  const [{ suspended = 0, all = 0 } = {}] = await system.sql`
    select count(*) filter (where statecode = 1)::int as suspended, count(*)::int as all from airlock.asyncoperation where owningextensionid = ${stepId}`;
  const answer = await system.http.request('POST', '/api/airlock/v1/jobs/cancel', { body: { filter: { stepId } } });
  expect(answer.body).toMatchObject({ matched: all, done: suspended, more: false });
  expect((answer.body as { refused: { count: number }[] }).refused.reduce((sum, { count }) => sum + count, 0)).toBe(all - suspended);
  expect((await system.http.request('POST', '/api/airlock/v1/jobs/postpone', { body: { filter: { stepId } } })).status).toBe(400);
  expect((await system.http.request('POST', '/api/airlock/v1/jobs/cancel', { body: {} })).status).toBe(400);
});

test('jobs of one ordering key run one at a time and in order, those of other keys beside them', async () => {
  await system.install(
    onCreate(
      `const key = target.attributes.telephone1;
       await organizationService.create('task', { subject: 'begin ' + key + ' ' + target.attributes.name });
       ${spin(150)}
       await organizationService.create('task', { subject: 'end ' + key + ' ' + target.attributes.name });`,
      `orderingKey: 'telephone1',`,
    ),
  );
  const ids: string[] = [];
  for (const name of ['1', '2', '3']) for (const key of ['left', 'right']) ids.push(await system.create('accounts', { name, telephone1: key }));
  for (const id of ids) await reached(id, '3/30');
  for (const key of ['left', 'right']) {
    const rows = await system.sql`select subject from data.task where subject like ${`% ${key} %`} order by createdon, versionnumber`;
    expect(rows.map((row) => row['subject'])).toEqual(['1', '2', '3'].flatMap((name) => [`begin ${key} ${name}`, `end ${key} ${name}`]));
  }
});

test('a step with a limit never runs more jobs at once', async () => {
  await system.install(onCreate(spin(200), 'maxConcurrency: 1,'));
  const ids: string[] = [];
  for (const name of ['1', '2', '3']) ids.push(await system.create('accounts', { name }));
  for (const id of ids) await reached(id, '3/30');
  const rows = await system.sql`
    select a.startedon, a.endedon from airlock.asyncoperationattempt a join airlock.asyncoperation j using (asyncoperationid)
    where j.regardingobjectid = any(${ids}) order by a.startedon`;
  expect(rows).toHaveLength(3);
  for (const [index, row] of rows.entries()) {
    const before = rows[index - 1];
    if (before !== undefined) expect(Number(row['startedon'])).toBeGreaterThanOrEqual(Number(before['endedon']));
  }
});

test('an ordering key on a synchronous step is refused', async () => {
  await expect(
    system.install(`
      export const no = definePlugin({
        steps: [{ message: 'Create', table: 'account', stage: 'PostOperation', orderingKey: 'name' }],
        execute() {},
      });`),
  ).rejects.toMatchObject({ code: '0x80044170' });
});
