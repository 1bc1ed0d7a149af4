/** Statements 33 to 40 of the pipeline's reference: what is in the transaction, and what a failure undoes. */
import { expect, test } from 'vitest';
import { errorOf, usePluginSystem } from '../support/plugin-system.ts';

const system = usePluginSystem();

const rowsNamed = async (name: string) =>
  (await system.sql`select name from data.account where name = ${name} union all select subject from data.task where subject = ${name}`).length;

test('statement 33: a top-level PreValidation is outside of the transaction, PreOperation and PostOperation are inside', async () => {
  await system.install(`
    export const inside = definePlugin({
      steps: [
        { message: 'Create', table: 'account', stage: 'PreValidation' },
        { message: 'Create', table: 'account', stage: 'PreOperation' },
        { message: 'Create', table: 'account', stage: 'PostOperation' },
      ],
      execute({ executionContext, tracing }) { tracing.trace(JSON.stringify({ stage: executionContext.stage, inside: executionContext.isInTransaction })); },
    });`);
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'Inside' } });
  expect(await system.seen(answer, 3)).toEqual([
    { stage: 10, inside: false },
    { stage: 20, inside: true },
    { stage: 40, inside: true },
  ]);
});

test.each(['PreOperation', 'PostOperation'])(
  'statement 34: the PreValidation of what a %s plug-in creates reads that it is in a transaction',
  async (stage) => {
    await system.install(`
    export const outer = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: '${stage}' }],
      async execute({ organizationService }) { await organizationService.create('task', { subject: 'nested' }); },
    });
    export const inner = definePlugin({
      steps: [{ message: 'Create', table: 'task', stage: 'PreValidation' }],
      execute({ executionContext, tracing }) { tracing.trace(JSON.stringify({ inside: executionContext.isInTransaction })); },
    });`);
    const answer = await system.http.request('POST', 'accounts', { body: { name: 'Outer' } });
    expect(answer.status).toBe(204);
    expect(await system.seen(answer, 2)).toEqual([{ inside: true }]);
  },
);

test('statement 34: the PreValidation of what a top-level PreValidation creates is not in a transaction', async () => {
  await system.install(`
    export const outer = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PreValidation' }],
      async execute({ organizationService }) { await organizationService.create('task', { subject: 'nested' }); },
    });
    export const inner = definePlugin({
      steps: [{ message: 'Create', table: 'task', stage: 'PreValidation' }],
      execute({ executionContext, tracing }) { tracing.trace(JSON.stringify({ inside: executionContext.isInTransaction })); },
    });`);
  expect(await system.seen(await system.http.request('POST', 'accounts', { body: { name: 'Outer' } }), 2)).toEqual([{ inside: false }]);
});

test('statement 35: when a PostOperation step throws after it created a task, neither account nor task exists', async () => {
  await system.install(`
    export const thrower = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PostOperation' }],
      async execute({ organizationService }) {
        await organizationService.create('task', { subject: 'Rolled back' });
        throw new InvalidPluginExecutionException('no');
      },
    });`);
  expect((await system.http.request('POST', 'accounts', { body: { name: 'Rolled back' } })).status).toBe(400);
  expect(await rowsNamed('Rolled back')).toBe(0);
});

test('statement 36: what a top-level PreValidation step wrote stays when it throws, and when a later stage does', async () => {
  await system.install(`
    export const log = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PreValidation' }],
      async execute({ organizationService, target }) {
        await organizationService.create('task', { subject: target.attributes.name });
        if (target.attributes.name === 'Logged at 10') throw new InvalidPluginExecutionException('no');
      },
    });
    export const later = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PostOperation' }],
      execute() { throw new Error('no'); },
    });`);
  expect((await system.http.request('POST', 'accounts', { body: { name: 'Logged at 10' } })).status).toBe(400);
  expect((await system.http.request('POST', 'accounts', { body: { name: 'Logged at 40' } })).status).toBe(500);
  expect(await system.sql`select 1 from data.account where name like 'Logged at %'`).toHaveLength(0);
  expect(await system.sql`select subject from data.task where subject like 'Logged at %' order by subject`).toEqual([
    { subject: 'Logged at 10' },
    { subject: 'Logged at 40' },
  ]);
});

test.each([
  ['an InvalidPluginExecutionException', "throw new InvalidPluginExecutionException('no')", 400],
  ['a TypeError', 'null.member', 500],
  ['a text', "throw 'no'", 500],
  ['null', 'throw null', 500],
  ['an object whose message throws', 'throw { get message() { throw 1; } }', 500],
  ['a failed service call', "await organizationService.retrieve('account', '0198a000-0000-7000-8000-00000000dead')", 500],
  ['a rejected promise', "await Promise.reject(new RangeError('no'))", 500],
])('statement 37: %s that leaves a step rolls the operation back', async (what, statement, status) => {
  await system.install(`
    export const thrower = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PostOperation' }],
      async execute({ organizationService }) {
        await organizationService.create('task', { subject: ${JSON.stringify(what)} });
        ${statement};
      },
    });`);
  const answer = await system.http.request('POST', 'accounts', { body: { name: what } });
  expect(answer.status).toBe(status);
  expect(await rowsNamed(what)).toBe(0);
});

test('statement 38: when the first of three steps throws, the others do not run and no job is queued', async () => {
  await system.install(`
    const mark = (name) => ({ executionContext, tracing }) => tracing.trace(JSON.stringify({ step: executionContext.owningExtension.name }));
    export const first = definePlugin({ steps: [{ name: 'first', message: 'Create', table: 'account', stage: 'PostOperation', rank: 1 }], execute() { throw new InvalidPluginExecutionException('first'); } });
    export const second = definePlugin({ steps: [{ name: 'second', message: 'Create', table: 'account', stage: 'PostOperation', rank: 2 }], execute: mark() });
    export const third = definePlugin({ steps: [{ name: 'third', message: 'Create', table: 'account', stage: 'PostOperation', rank: 3 }], execute: mark() });
    export const job = definePlugin({ steps: [{ name: 'job', message: 'Create', table: 'account', stage: 'PostOperation', mode: 'Asynchronous' }], execute: mark() });`);
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'First' } });
  expect(errorOf(answer).message).toBe('first');
  expect((await system.traces(answer, 1)).map(({ stepname }) => stepname)).toEqual(['first']);
  const job = await system.stepId('job');
  expect(await system.sql`select 1 from airlock.asyncoperation where owningextensionid = ${job}`).toHaveLength(0);
});

/** Dataverse ends such a request with 0x80040251 later on; Airlock's decision is docs/decisions/005-caught-service-call-failures.md. */
test('statement 39, decided otherwise: a caught failed service call leaves the transaction usable, and only the call is undone', async () => {
  await system.install(`
    export const catcher = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PostOperation' }],
      async execute({ organizationService, tracing }) {
        await organizationService.create('task', { subject: 'Kept before' });
        try {
          await organizationService.create('contact', { lastname: 'Undone' });
        } catch (error) {
          tracing.trace(JSON.stringify({ fault: error instanceof OrganizationServiceFault, code: error.code, message: error.message }));
        }
        await organizationService.create('task', { subject: 'Kept after' });
      },
    });
    export const refuse = definePlugin({
      steps: [{ message: 'Create', table: 'contact', stage: 'PostOperation' }],
      async execute({ organizationService }) {
        await organizationService.create('task', { subject: 'Undone with it' });
        throw new InvalidPluginExecutionException('no contacts today');
      },
    });`);
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'Catcher' } });
  expect(answer.status).toBe(204);
  expect(await system.seen(answer, 2)).toEqual([{ fault: true, code: '0x80040265', message: 'no contacts today' }]);
  expect(await rowsNamed('Catcher')).toBe(1);
  expect(await rowsNamed('Kept before')).toBe(1);
  expect(await rowsNamed('Kept after')).toBe(1);
  expect(await rowsNamed('Undone with it')).toBe(0);
  expect(await system.sql`select 1 from data.contact where lastname = 'Undone'`).toHaveLength(0);
});

test('statement 40: the trace log row of the failing step survives the rollback', async () => {
  await system.install(`
    export const thrower = definePlugin({
      steps: [{ name: 'the failing step', message: 'Create', table: 'account', stage: 'PostOperation' }],
      execute({ tracing }) { tracing.trace('before the end'); throw new Error('the end'); },
    });`);
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'Gone' } });
  expect(answer.status).toBe(500);
  expect(await rowsNamed('Gone')).toBe(0);
  const [row] = await system.traces(answer, 1);
  expect(row).toMatchObject({ stepname: 'the failing step', messagename: 'Create', failurekind: 'plug-in/unexpected', errorcode: '0x80040224' });
  expect(row?.messageblock).toContain('before the end');
  expect(row?.exceptiondetails).toContain('the end');
});
