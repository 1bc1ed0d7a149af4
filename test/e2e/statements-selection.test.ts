/** Statements 13 to 20 of the pipeline's reference: which steps run, and in which order. */
import { expect, test } from 'vitest';
import { errorOf, usePluginSystem } from '../support/plugin-system.ts';

const system = usePluginSystem();

const stepNames = async (count: number, answer: Parameters<typeof system.seen>[0]) => (await system.seen(answer, count)).map(({ step }) => step);

/** A plug-in that says its step's name. */
const speaker = (steps: string) => `
  export const speaker = definePlugin({
    steps: ${steps},
    execute({ executionContext, tracing }) {
      tracing.trace(JSON.stringify({ step: executionContext.owningExtension.name, stage: executionContext.stage, table: executionContext.primaryEntityName }));
    },
  });`;

test('statement 13: a step that is registered twice runs twice', async () => {
  await system.install(
    speaker(`[
      { name: 'first', message: 'Create', table: 'account', stage: 'PreOperation' },
      { name: 'second', message: 'Create', table: 'account', stage: 'PreOperation' },
    ]`),
  );
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'Twice' } });
  expect(answer.status).toBe(204);
  expect(await stepNames(2, answer)).toEqual(['first', 'second']);
});

test('statement 14: a disabled step does not run, and runs again once it is enabled', async () => {
  await system.install(`
    export const refuse = definePlugin({
      steps: [{ name: 'switchable', message: 'Create', table: 'account', stage: 'PreOperation' }],
      execute() { throw new InvalidPluginExecutionException('refused'); },
    });`);
  const step = `/api/airlock/v1/steps/${await system.stepId('switchable')}`;
  const create = async () => (await system.http.request('POST', 'accounts', { body: { name: 'Switch' } })).status;
  expect(await create()).toBe(400);
  expect((await system.http.request('PATCH', step, { body: { enabled: false } })).status).toBe(204);
  expect(await create()).toBe(204);
  expect((await system.http.request('PATCH', step, { body: { enabled: true } })).status).toBe(204);
  expect(await create()).toBe(400);
});

test('statement 15: steps of one stage run in the order of their ranks', async () => {
  await system.install(
    speaker(`[
      { name: 'rank 3', message: 'Create', table: 'account', stage: 'PreOperation', rank: 3 },
      { name: 'rank 1', message: 'Create', table: 'account', stage: 'PreOperation', rank: 1 },
      { name: 'rank 2', message: 'Create', table: 'account', stage: 'PreOperation', rank: 2 },
    ]`),
  );
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'Ranked' } });
  expect(await stepNames(3, answer)).toEqual(['rank 1', 'rank 2', 'rank 3']);
});

test('statement 16: filtering columns ask whether a column was sent, not whether its value changed', async () => {
  await system.install(
    speaker(`[
      { name: 'filtered', message: 'Update', table: 'account', stage: 'PreOperation', filteringAttributes: ['name', 'telephone1'] },
      { name: 'always', message: 'Update', table: 'account', stage: 'PreOperation', rank: 2 },
    ]`),
  );
  const id = await system.create('accounts', { name: 'Filtered' });
  const update = (body: object) => system.http.request('PATCH', `accounts(${id})`, { body });
  expect(await stepNames(1, await update({ fax: '1' }))).toEqual(['always']);
  expect(await stepNames(2, await update({ name: 'Filtered' }))).toEqual(['filtered', 'always']);
  expect(await stepNames(2, await update({ telephone1: '2', fax: '3' }))).toEqual(['filtered', 'always']);
});

test('statement 17: filtering columns never keep a step on Create from running', async () => {
  await system.install(speaker(`[{ name: 'on create', message: 'Create', table: 'account', stage: 'PreOperation', filteringAttributes: ['fax'] }]`));
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'No fax' } });
  expect(await stepNames(1, answer)).toEqual(['on create']);
});

test('statement 18: a step without a table runs for every table', async () => {
  await system.install(speaker(`[{ name: 'every table', message: 'Create', stage: 'PreOperation' }]`));
  for (const [set, body, table] of [
    ['accounts', { name: 'Any' }, 'account'],
    ['contacts', { lastname: 'Any' }, 'contact'],
    ['tasks', { subject: 'Any' }, 'task'],
  ] as const) {
    const answer = await system.http.request('POST', set, { body });
    expect(await system.seen(answer, 1)).toMatchObject([{ table }]);
  }
});

test('statement 19: the stages run in the order 10, 20, the operation itself, 40', async () => {
  await system.install(`
    const look = async ({ executionContext, organizationService, tracing }) => {
      const found = await organizationService.retrieveMultiple({ table: 'account', conditions: [{ column: 'name', operator: 'eq', value: 'Staged' }] });
      tracing.trace(JSON.stringify({ stage: executionContext.stage, rows: found.entities.length }));
    };
    export const looker = definePlugin({
      steps: [
        { message: 'Create', table: 'account', stage: 'PostOperation' },
        { message: 'Create', table: 'account', stage: 'PreOperation' },
        { message: 'Create', table: 'account', stage: 'PreValidation' },
      ],
      execute: look,
    });`);
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'Staged' } });
  expect(answer.status).toBe(204);
  expect(await system.seen(answer, 3)).toEqual([
    { stage: 10, rows: 0 },
    { stage: 20, rows: 0 },
    { stage: 40, rows: 1 },
  ]);
});

test('statement 20: PreValidation runs before the privilege check, later stages do not run for a caller without the right', async () => {
  const definition = {
    logicalName: 'ledger',
    displayName: 'Ledger',
    displayCollectionName: 'Ledgers',
    entitySetName: 'ledgers',
    primaryNameAttribute: 'name',
    columns: [{ logicalName: 'name', displayName: 'Name', type: 'string', maxLength: 100 }],
    rights: { create: 'operator' },
  };
  expect((await system.http.request('POST', '/api/airlock/v1/tables', { body: definition })).status).toBe(201);
  await system.install(
    speaker(`[
      { name: 'before the check', message: 'Create', table: 'ledger', stage: 'PreValidation' },
      { name: 'after the check', message: 'Create', table: 'ledger', stage: 'PreOperation' },
    ]`),
  );
  const { client } = await system.account('user');
  const refused = await client.request('POST', 'ledgers', { body: { name: 'Mine' } });
  expect(refused.status).toBe(403);
  expect(errorOf(refused).code).toBe('0x80040220');
  expect(await stepNames(1, refused)).toEqual(['before the check']);
  const allowed = await system.http.request('POST', 'ledgers', { body: { name: 'Mine' } });
  expect(await stepNames(2, allowed)).toEqual(['before the check', 'after the check']);
});
