/** Statements 21 to 32 of the pipeline's reference: what a plug-in finds in its context. */
import { expect, test } from 'vitest';
import { errorOf, usePluginSystem } from '../support/plugin-system.ts';

const system = usePluginSystem();

test('statement 21: depth is 1 for a request and 2 for what its plug-in causes', async () => {
  await system.install(`
    export const depth = definePlugin({
      steps: [
        { message: 'Create', table: 'account', stage: 'PostOperation' },
        { message: 'Create', table: 'task', stage: 'PreOperation' },
      ],
      async execute({ executionContext, organizationService, tracing }) {
        tracing.trace(JSON.stringify({ table: executionContext.primaryEntityName, depth: executionContext.depth }));
        if (executionContext.primaryEntityName === 'account') await organizationService.create('task', { subject: 'nested' });
      },
    });`);
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'Deep' } });
  expect(answer.status).toBe(204);
  expect(new Set((await system.seen(answer, 2)).map((each) => JSON.stringify(each)))).toEqual(
    new Set([JSON.stringify({ table: 'account', depth: 1 }), JSON.stringify({ table: 'task', depth: 2 })]),
  );
});

test('statement 22: a chain that goes deeper than 8 is refused with the chain in the error, and everything rolls back', async () => {
  await system.install(`
    export const loop = definePlugin({
      steps: [{ name: 'loop', message: 'Create', table: 'account', stage: 'PostOperation' }],
      async execute({ executionContext, organizationService }) {
        try { await organizationService.create('account', { name: 'Loop', description: String(executionContext.depth + 1) }); } catch {}
      },
    });`);
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'Loop', description: '1' } });
  expect(answer.status).toBe(400);
  const { code, message } = errorOf(answer);
  expect(code).toBe('0x80044182');
  expect(message).toMatch(/more than 8 times: .*Create.*account/);
  expect(await system.sql`select 1 from data.account where name = 'Loop'`).toHaveLength(0);
  const depths = (await system.traces(answer, 8)).map(({ depth }) => depth);
  expect(depths.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test('statement 23: all steps of a request and of what it causes read the same correlation id', async () => {
  await system.install(`
    export const correlation = definePlugin({
      steps: [
        { message: 'Create', table: 'account', stage: 'PreValidation' },
        { message: 'Create', table: 'account', stage: 'PreOperation' },
        { message: 'Create', table: 'account', stage: 'PostOperation' },
        { message: 'Create', table: 'task', stage: 'PreOperation' },
      ],
      async execute({ executionContext, organizationService, tracing }) {
        const { correlationId, requestId, stage, primaryEntityName } = executionContext;
        tracing.trace(JSON.stringify({ correlationId, requestId }));
        if (stage === 40 && primaryEntityName === 'account') await organizationService.create('task', { subject: 'same' });
      },
    });`);
  const first = await system.seen(await system.http.request('POST', 'accounts', { body: { name: 'One' } }), 4);
  const second = await system.seen(await system.http.request('POST', 'accounts', { body: { name: 'Two' } }), 4);
  expect(new Set(first.map(({ correlationId }) => correlationId)).size).toBe(1);
  expect(first[0]?.['correlationId']).toMatch(/^[0-9a-f-]{36}$/);
  expect(second[0]?.['correlationId']).not.toBe(first[0]?.['correlationId']);
});

test('statement 24: a step that runs as another user reads that user, and the caller as the one who initiated', async () => {
  const other = await system.account('user');
  const caller = await system.account('user');
  await system.install(`
    const say = ({ executionContext, tracing }) => tracing.trace(JSON.stringify({ user: executionContext.userId, initiating: executionContext.initiatingUserId }));
    export const asOther = definePlugin({ steps: [{ message: 'Create', table: 'account', stage: 'PreOperation', rank: 1, runAs: '${other.userId}' }], execute: say });
    export const asCaller = definePlugin({ steps: [{ message: 'Create', table: 'account', stage: 'PreOperation', rank: 2 }], execute: say });`);
  const answer = await caller.client.request('POST', 'accounts', { body: { name: 'Impersonated' } });
  expect(await system.seen(answer, 2)).toEqual([
    { user: other.userId, initiating: caller.userId },
    { user: caller.userId, initiating: caller.userId },
  ]);
});

test('statement 24: what a step writes belongs to the user it runs as, and to SYSTEM through the system service', async () => {
  const other = await system.account('user');
  await system.install(`
    export const writer = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PostOperation', runAs: '${other.userId}' }],
      async execute({ executionContext, organizationService, systemService, serviceFor }) {
        await organizationService.create('task', { subject: 'by the step' });
        await systemService.create('task', { subject: 'by SYSTEM' });
        await serviceFor(executionContext.initiatingUserId).create('task', { subject: 'by the caller' });
      },
    });`);
  const caller = await system.account('user');
  const answer = await caller.client.request('POST', 'accounts', { body: { name: 'Written' } });
  expect(answer.status, JSON.stringify(answer.body)).toBe(204);
  const rows = await system.sql<{ subject: string; createdby: string; fullname: string }[]>`
    select t.subject, t.createdby, u.fullname from data.task t join airlock.systemuser u on u.systemuserid = t.createdby where t.subject like 'by %'`;
  const byOf = (subject: string) => rows.find((row) => row.subject === subject);
  expect(byOf('by the step')?.createdby).toBe(other.userId);
  expect(byOf('by the caller')?.createdby).toBe(caller.userId);
  expect(byOf('by SYSTEM')?.fullname).toBe('SYSTEM');
});

test('statement 25: a step that runs as a disabled user fails with a message that names the user', async () => {
  const other = await system.account('user');
  await system.install(`
    export const asOther = definePlugin({ steps: [{ message: 'Create', table: 'account', stage: 'PreOperation', runAs: '${other.userId}' }], execute() {} });`);
  await system.sql`update airlock.systemuser set isdisabled = true where systemuserid = ${other.userId}`;
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'Disabled' } });
  expect(answer.status).toBe(403);
  expect(errorOf(answer).message).toContain(`SystemUserId=${other.userId}`);
  expect(errorOf(answer).message).toContain('disabled');
  expect(await system.sql`select 1 from data.account where name = 'Disabled'`).toHaveLength(0);
});

test('statement 26: later stages find what PreValidation shared in the shared variables of the parent context', async () => {
  await system.install(`
    export const share = definePlugin({
      steps: [
        { message: 'Create', table: 'account', stage: 'PreValidation' },
        { message: 'Create', table: 'account', stage: 'PreOperation' },
        { message: 'Create', table: 'account', stage: 'PostOperation' },
      ],
      execute({ executionContext, tracing }) {
        const { stage, sharedVariables, parentContext } = executionContext;
        tracing.trace(JSON.stringify({ stage, own: sharedVariables.from20 ?? null, parents: parentContext?.sharedVariables.from10 ?? null }));
        if (stage === 10) sharedVariables.from10 = { checked: [1, 2] };
        if (stage === 20) sharedVariables.from20 = 'twenty';
      },
    });`);
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'Shared' } });
  expect(await system.seen(answer, 3)).toEqual([
    { stage: 10, own: null, parents: null },
    { stage: 20, own: null, parents: { checked: [1, 2] } },
    { stage: 40, own: 'twenty', parents: { checked: [1, 2] } },
  ]);
});

test('statement 27: a tag is a shared variable in every stage and cannot be changed', async () => {
  await system.install(`
    export const tagged = definePlugin({
      steps: [
        { message: 'Create', table: 'account', stage: 'PreValidation' },
        { message: 'Create', table: 'account', stage: 'PreOperation' },
        { message: 'Create', table: 'account', stage: 'PostOperation' },
      ],
      execute({ executionContext, tracing }) {
        const { stage, sharedVariables } = executionContext;
        tracing.trace(JSON.stringify({ stage, tag: sharedVariables.tag }));
        try { sharedVariables.tag = 'changed'; } catch {}
        try { delete sharedVariables.tag; } catch {}
      },
    });`);
  const answer = await system.http.request('POST', 'accounts?tag=abc', { body: { name: 'Tagged' } });
  expect(answer.status, JSON.stringify(answer.body)).toBe(204);
  expect(await system.seen(answer, 3)).toEqual([10, 20, 40].map((stage) => ({ stage, tag: 'abc' })));
});

test('statement 28: what stages 10 and 20 change in the target is stored, what stage 40 changes is not', async () => {
  await system.install(`
    export const edit = definePlugin({
      steps: [
        { message: 'Create', table: 'account', stage: 'PreValidation' },
        { message: 'Create', table: 'account', stage: 'PreOperation' },
        { message: 'Create', table: 'account', stage: 'PostOperation' },
      ],
      execute({ executionContext, target }) {
        if (executionContext.stage === 10) target.attributes.fax = 'ten';
        if (executionContext.stage === 20) { target.attributes.telephone1 = 'twenty'; delete target.attributes.description; }
        if (executionContext.stage === 40) target.attributes.telephone2 = 'forty';
      },
    });`);
  const id = await system.create('accounts', { name: 'Edited', description: 'taken out' });
  expect(await system.read('accounts', id, 'fax,telephone1,telephone2,description')).toMatchObject({
    fax: 'ten',
    telephone1: 'twenty',
    telephone2: null,
    description: null,
  });
});

test('statement 28: a value that a plug-in puts into the target is checked like one that was sent', async () => {
  await system.install(`
    export const edit = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PreOperation' }],
      execute({ target }) { target.attributes[target.attributes.name] = 'x'.repeat(60); },
    });`);
  const tooLong = await system.http.request('POST', 'accounts', { body: { name: 'telephone1' } });
  expect([tooLong.status, errorOf(tooLong).code]).toEqual([400, '0x80044331']);
  const unknown = await system.http.request('POST', 'accounts', { body: { name: 'nosuchcolumn' } });
  expect(unknown.status).toBe(400);
  expect(errorOf(unknown).message).toContain('nosuchcolumn');
});

test('statement 29: output parameters are empty before the operation, and hold the id after a Create', async () => {
  await system.install(`
    export const outputs = definePlugin({
      steps: [
        { message: 'Create', table: 'account', stage: 'PreValidation' },
        { message: 'Create', table: 'account', stage: 'PreOperation' },
        { message: 'Create', table: 'account', stage: 'PostOperation' },
      ],
      execute({ executionContext, tracing }) { tracing.trace(JSON.stringify(executionContext.outputParameters)); },
    });`);
  const externalid = '0198a000-0000-7000-8000-000000000029';
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'Outputs', accountid: externalid } });
  expect(await system.seen(answer, 3)).toEqual([{}, {}, { id: externalid }]);
});

test('statement 30: an image is found under its alias, and columns without a value are missing', async () => {
  await system.install(`
    export const images = definePlugin({
      steps: [{
        message: 'Update', table: 'account', stage: 'PostOperation',
        images: [
          { alias: 'pre', type: 'PreImage', columns: ['name', 'fax', 'telephone1'] },
          { alias: 'post', type: 'PostImage', columns: ['name', 'fax', 'telephone1'] },
          { alias: 'both', type: 'Both', columns: ['name'] },
        ],
      }],
      execute({ preImages, postImages, tracing }) {
        const attributes = (images) => Object.fromEntries(Object.entries(images).map(([alias, image]) => [alias, image.attributes]));
        tracing.trace(JSON.stringify({ pre: attributes(preImages), post: attributes(postImages) }));
      },
    });`);
  const id = await system.create('accounts', { name: 'Before', telephone1: '1' });
  const answer = await system.http.request('PATCH', `accounts(${id})`, { body: { name: 'After', fax: '2', telephone1: null } });
  expect(answer.status).toBe(204);
  expect(await system.seen(answer, 1)).toEqual([
    {
      pre: { pre: { name: 'Before', telephone1: '1' }, both: { name: 'Before' } },
      post: { post: { name: 'After', fax: '2' }, both: { name: 'After' } },
    },
  ]);
});

test('statement 30: Create has post-images, Delete has pre-images', async () => {
  await system.install(`
    const say = ({ preImages, postImages, tracing }) => tracing.trace(JSON.stringify({ pre: preImages.i?.attributes ?? null, post: postImages.i?.attributes ?? null }));
    export const created = definePlugin({ steps: [{ message: 'Create', table: 'account', stage: 'PostOperation', images: [{ alias: 'i', type: 'PostImage', columns: ['name'] }] }], execute: say });
    export const deleted = definePlugin({ steps: [{ message: 'Delete', table: 'account', stage: 'PostOperation', images: [{ alias: 'i', type: 'PreImage', columns: ['name'] }] }], execute: say });`);
  const created = await system.http.request('POST', 'accounts', { body: { name: 'Pictured' } });
  expect(await system.seen(created, 1)).toEqual([{ pre: null, post: { name: 'Pictured' } }]);
  const [row] = await system.sql<{ accountid: string }[]>`select accountid from data.account where name = 'Pictured'`;
  const deleted = await system.http.request('DELETE', `accounts(${row?.accountid})`);
  expect(await system.seen(deleted, 1)).toEqual([{ pre: { name: 'Pictured' }, post: null }]);
});

test('statement 31: a plug-in gets the unsecure and the secure configuration of its step', async () => {
  await system.install(`
    export const configured = definePlugin({
      steps: [{ name: 'configured', message: 'Create', table: 'account', stage: 'PreOperation', configuration: 'open to all' }],
      execute({ configuration, target }) { target.attributes.description = configuration.unsecure + ' / ' + configuration.secure; },
    });`);
  const step = await system.stepId('configured');
  const put = await system.http.request('PUT', `/api/airlock/v1/steps/${step}/secure-configuration`, { body: { value: 'for one alone' } });
  expect(put.status).toBe(204);
  const id = await system.create('accounts', { name: 'Configured' });
  expect(await system.read('accounts', id, 'description')).toMatchObject({ description: 'open to all / for one alone' });
  const listed = await system.http.request('GET', '/api/airlock/v1/steps');
  const row = await system.http.request('GET', `sdkmessageprocessingsteps(${step})`);
  expect(JSON.stringify([listed.body, row.body])).not.toContain('for one alone');
});

const counter = `
  let runs = 0;
  export const counter = definePlugin({
    steps: [{ message: 'Create', table: 'account', stage: 'PreOperation' }],
    execute({ target }) { runs += 1; target.attributes.numberofemployees = runs; },
  });`;
const runsAt = async () =>
  (await system.read('accounts', await system.create('accounts', { name: 'Counted' }), 'numberofemployees'))['numberofemployees'];

test('statement 32: an instance of a stateless bundle may serve several executions, and a changed step gets a new one', async () => {
  await system.install(counter, { stateless: true });
  await expect.poll(runsAt).toBeGreaterThan(1);
  await system.install(counter, { stateless: true });
  expect(await runsAt()).toBe(1);
});

test('statement 32: without that declaration nothing survives from one execution to the next', async () => {
  await system.install(counter);
  for (let count = 0; count < 8; count++) expect(await runsAt()).toBe(1);
});
