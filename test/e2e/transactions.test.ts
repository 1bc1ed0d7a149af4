/** One transaction an operation: what failures undo, what collisions do, and that nested plug-ins cannot starve each other. */
import { expect, test } from 'vitest';
import { errorOf, usePluginSystem } from '../support/plugin-system.ts';
import { until } from '../support/until.ts';

const system = usePluginSystem({ workerEnv: { AIRLOCK_CAPACITY: '2' }, dispatcherEnv: { AIRLOCK_LOCK_TIMEOUT_MS: '4000' } });

const ANNOTATED = { prefer: 'odata.include-annotations="*"' };

/** Locks rows from a connection of the test's own until `release`. */
async function hold(table: 'account' | 'contact', ids: readonly string[]): Promise<{ release(): Promise<void> }> {
  const { promise: locked, resolve: lockedNow } = Promise.withResolvers<void>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const transaction = system.sql.begin(async (sql) => {
    await sql`select 1 from data.${sql(table)} where ${sql(`${table}id`)} in ${sql(ids)} for update`;
    lockedNow();
    await ended;
  });
  await Promise.race([locked, transaction]);
  return {
    release: async () => {
      end();
      await transaction;
    },
  };
}

test('errors of the database in a caught service call leave the transaction usable', async () => {
  const taken = await system.create('accounts', { name: 'Taken', accountnumber: 'T-1' });
  await system.install(`
    export const clumsy = definePlugin({
      steps: [{ message: 'Create', table: 'task', stage: 'PostOperation' }],
      async execute({ organizationService, tracing }) {
        const attempts = [
          () => organizationService.create('account', { name: 'Same number', accountnumber: 'T-1' }),
          () => organizationService.create({ logicalName: 'account', id: '${taken}', attributes: { name: 'Same id' } }),
          () => organizationService.create('contact', { lastname: 'Orphan', parentcustomerid: { logicalName: 'account', id: '0198a000-0000-7000-8000-0000000000ff' } }),
          () => organizationService.create('account', {}),
          () => organizationService.update('account', '${taken}', { creditlimit: 1e30 }),
          () => organizationService.create('nosuchtable', { name: 'x' }),
          () => organizationService.delete('account', '0198a000-0000-7000-8000-0000000000ff'),
        ];
        for (const attempt of attempts) {
          try { await attempt(); tracing.trace(JSON.stringify({ code: 'none' })); } catch (error) { tracing.trace(JSON.stringify({ code: error.code })); }
        }
        await organizationService.create('account', { name: 'After all' });
      },
    });`);
  const answer = await system.http.request('POST', 'tasks', { body: { subject: 'Clumsy' } });
  expect(answer.status, JSON.stringify(answer.body)).toBe(204);
  expect((await system.seen(answer, 1)).map(({ code }) => code)).toEqual([
    '0x80060892',
    '0x80040237',
    '0x80040217',
    '0x80040200',
    '0x80044330',
    '0x80040217',
    '0x80040217',
  ]);
  expect(await system.sql`select name from data.account order by name`).toEqual([{ name: 'After all' }, { name: 'Taken' }]);
  expect(await system.sql`select 1 from data.task where subject = 'Clumsy'`).toHaveLength(1);
});

test('calls that run at once fail and succeed one by one', async () => {
  await system.install(`
    export const crowd = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PostOperation' }],
      async execute({ organizationService }) {
        const subjects = Array.from({ length: 12 }, (_, index) => (index % 3 === 0 ? null : 'crowd ' + index));
        const ends = await Promise.allSettled(subjects.map((subject) => organizationService.create('task', { subject })));
        if (ends.filter(({ status }) => status === 'rejected').length !== 4) throw new Error('wrong ends');
      },
    });`);
  await system.create('accounts', { name: 'Crowd' });
  expect(await system.sql`select 1 from data.task where subject like 'crowd %'`).toHaveLength(8);
});

test('what a nested operation wrote is undone together with what its own plug-ins wrote', async () => {
  await system.install(`
    export const outer = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PostOperation' }],
      async execute({ organizationService }) {
        await organizationService.create('contact', { lastname: 'Nested' });
        throw new InvalidPluginExecutionException('undo it all');
      },
    });
    export const inner = definePlugin({
      steps: [{ message: 'Create', table: 'contact', stage: 'PostOperation' }, { message: 'Create', table: 'contact', stage: 'PreValidation' }],
      async execute({ organizationService }) { await organizationService.create('task', { subject: 'of the nested one' }); },
    });`);
  expect((await system.http.request('POST', 'accounts', { body: { name: 'Undone' } })).status).toBe(400);
  expect(await system.sql`select 1 from data.contact where lastname = 'Nested'`).toHaveLength(0);
  expect(await system.sql`select 1 from data.task where subject = 'of the nested one'`).toHaveLength(0);
});

test('a loop that nobody catches is refused with its chain', async () => {
  await system.install(`
    export const pingPong = definePlugin({
      steps: [{ message: 'Update', table: 'account', stage: 'PostOperation' }, { message: 'Update', table: 'contact', stage: 'PostOperation' }],
      async execute({ target, organizationService }) {
        const { other } = JSON.parse(target.attributes.description);
        await organizationService.update(other.logicalName, other.id, {
          description: JSON.stringify({ other: { logicalName: target.logicalName, id: target.id } }),
        });
      },
    });`);
  const account = await system.create('accounts', { name: 'Ping' });
  const contact = await system.create('contacts', { lastname: 'Pong' });
  const description = JSON.stringify({ other: { logicalName: 'contact', id: contact } });
  const answer = await system.http.request('PATCH', `accounts(${account})`, { body: { description } });
  expect([answer.status, errorOf(answer).code]).toEqual([400, '0x80044182']);
  expect(errorOf(answer).message).toMatch(/Update.*account.*Update.*contact/);
  expect(await system.read('accounts', account, 'description')).toMatchObject({ description: null });
});

test('two operations that update two accounts in opposite order: one is refused as retriable, the other is whole', async () => {
  await system.install(`
    export const cross = definePlugin({
      steps: [{ message: 'Update', table: 'account', stage: 'PostOperation', filteringAttributes: ['description'], limits: { wallMs: 30_000 } }],
      async execute({ target, organizationService }) {
        if (target.attributes.description === 'inner') return;
        const { gate, other } = JSON.parse(target.attributes.description);
        await organizationService.update('contact', gate, { jobtitle: 'passed' });
        await organizationService.update('account', other, { fax: 'by ' + target.id });
      },
    });`);
  const [a, b] = [await system.create('accounts', { name: 'A' }), await system.create('accounts', { name: 'B' })];
  const [gateA, gateB] = [await system.create('contacts', { lastname: 'Gate A' }), await system.create('contacts', { lastname: 'Gate B' })];
  const cross = (own: string, other: string, gate: string) =>
    system.http.request('PATCH', `accounts(${own})`, {
      body: { description: JSON.stringify({ gate, other }), telephone1: 'own' },
      headers: { ...ANNOTATED, 'if-match': '*' },
    });
  // Both hold their own account and wait at the gate; opened, each wants the account of the other.
  const gates = await hold('contact', [gateA, gateB]);
  const both = Promise.all([cross(a, b, gateA), cross(b, a, gateB)]);
  await until(async () => {
    const [row] =
      await system.sql`select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return row?.['waiting'] === 2;
  });
  await gates.release();
  const answers = await both;
  const refused = answers.findIndex(({ status }) => status !== 204);
  const [loser, winner] = refused === 0 ? [a, b] : [b, a];
  expect(answers.map(({ status }) => status).toSorted((x, y) => x - y)).toEqual([204, 503]);
  const error = errorOf(answers[refused] ?? answers[0]);
  expect([error.code, error['@Airlock.Retriable']]).toEqual(['0x80040255', 'true']);
  expect(answers[refused]?.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await system.read('accounts', winner, 'telephone1,fax')).toMatchObject({ telephone1: 'own', fax: null });
  expect(await system.read('accounts', loser, 'telephone1,fax')).toMatchObject({ telephone1: null, fax: `by ${winner}` });
});

test('a row that somebody else holds for too long: a retriable error, nothing is written', async () => {
  await system.uninstall();
  const id = await system.create('accounts', { name: 'Held' });
  const row = await hold('account', [id]);
  const answer = await system.http.request('PATCH', `accounts(${id})`, { body: { fax: '1' }, headers: { ...ANNOTATED, 'if-match': '*' } });
  await row.release();
  expect([answer.status, errorOf(answer)['@Airlock.Retriable']]).toEqual([503, 'true']);
  expect(await system.read('accounts', id, 'fax')).toMatchObject({ fax: null });
});

test('64 creates at once, each with a nested create that has a plug-in of its own, on a worker with two slots', async () => {
  await system.install(`
    export const outer = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PostOperation' }],
      async execute({ target, organizationService }) { await organizationService.create('contact', { lastname: target.attributes.name }); },
    });
    export const inner = definePlugin({
      steps: [{ message: 'Create', table: 'contact', stage: 'PostOperation' }],
      async execute({ target, organizationService }) { await organizationService.create('task', { subject: target.attributes.lastname }); },
    });`);
  const names = Array.from({ length: 64 }, (_, index) => `Client ${index}`);
  const answers = await Promise.all(names.map((name) => system.http.request('POST', 'accounts', { body: { name }, timeoutMs: 90_000 })));
  expect(answers.filter(({ status }) => status !== 204).map(({ status, body }) => ({ status, body }))).toEqual([]);
  const [counts] = await system.sql`
    select (select count(*)::int from data.account where name like 'Client %') as accounts,
      (select count(*)::int from data.contact where lastname like 'Client %') as contacts,
      (select count(*)::int from data.task where subject like 'Client %') as tasks`;
  expect(counts).toEqual({ accounts: 64, contacts: 64, tasks: 64 });
});

test('a plug-in that counts up from its pre-image loses no update among concurrent ones', async () => {
  await system.install(`
    export const count = definePlugin({
      steps: [{ message: 'Update', table: 'account', stage: 'PreOperation', images: [{ alias: 'before', type: 'PreImage', columns: ['numberofemployees'] }] }],
      execute({ target, preImages }) { target.attributes.numberofemployees = (preImages.before.attributes.numberofemployees ?? 0) + 1; },
    });`);
  const id = await system.create('accounts', { name: 'Counted' });
  const answers = await Promise.all(
    Array.from({ length: 16 }, () => system.http.request('PATCH', `accounts(${id})`, { body: { fax: 'x' }, headers: { 'if-match': '*' } })),
  );
  expect(answers.map(({ status }) => status)).toEqual(new Array(16).fill(204));
  expect(await system.read('accounts', id, 'numberofemployees')).toMatchObject({ numberofemployees: 16 });
});

test('of many updates that expect the same version one is made, the others are told that they are late', async () => {
  await system.install(`
    export const slow = definePlugin({ steps: [{ message: 'Update', table: 'account', stage: 'PreOperation' }], execute() {} });`);
  const id = await system.create('accounts', { name: 'Versioned' });
  const etag = String((await system.read('accounts', id, 'name'))['@odata.etag']);
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      system.http.request('PATCH', `accounts(${id})`, { body: { fax: String(index) }, headers: { 'if-match': etag } }),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  expect(statuses.toSorted((x, y) => x - y)).toEqual([204, ...new Array(7).fill(412)]);
  expect(await system.read('accounts', id, 'fax')).toMatchObject({ fax: String(statuses.indexOf(204)) });
});

test('a plug-in writes only the version that it read when it asks for that', async () => {
  await system.install(`
    export const versions = definePlugin({
      steps: [{ message: 'Create', table: 'task', stage: 'PostOperation' }],
      async execute({ organizationService, tracing }) {
        const id = await organizationService.create('account', { name: 'Versions' });
        const version = Number((await organizationService.retrieve('account', id, ['versionnumber'])).attributes.versionnumber);
        await organizationService.update('account', id, { fax: 'first' }, { rowVersion: version });
        const late = await organizationService.update('account', id, { fax: 'late' }, { rowVersion: version }).catch((error) => error.code);
        const lateDelete = await organizationService.delete('account', id, { rowVersion: version }).catch((error) => error.code);
        const { attributes } = await organizationService.retrieve('account', id, ['fax']);
        tracing.trace(JSON.stringify({ late, lateDelete, fax: attributes.fax }));
      },
    });`);
  const answer = await system.http.request('POST', 'tasks', { body: { subject: 'Versions' } });
  expect(await system.seen(answer, 1)).toEqual([{ late: '0x80060882', lateDelete: '0x80060882', fax: 'first' }]);
});
