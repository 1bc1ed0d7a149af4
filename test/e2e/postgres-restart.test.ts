/** Postgres restarts while operations run: they end with retriable errors, and everything recovers by itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDatabase, startPostgres } from '@airlock/local/postgres';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { buildSource, SDK_IMPORT } from '../support/plugin-bundle.ts';
import { defineExampleTables, errorOf } from '../support/plugin-system.ts';
import { startAirlock } from '../support/services.ts';
import { until } from '../support/until.ts';

const source = `${SDK_IMPORT}
  export const slow = definePlugin({
    steps: [{ message: 'Create', table: 'account', stage: 'PostOperation', limits: { wallMs: 60_000, hostCalls: 10_000 } }],
    async execute({ organizationService, target }) {
      await organizationService.create('task', { subject: target.attributes.name });
      while (target.attributes.name === 'Slow') {
        await organizationService.retrieveMultiple({ table: 'task', columns: ['description'], top: 1 });
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  });`;

test('Postgres stopped in the middle and started again', async () => {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'airlock-postgres-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const start = () => startPostgres({ directory, durability: 'durable' });
  let server = await start();
  stack.defer(() => server.stop());
  const url = await ensureDatabase(server, 'restarted');
  const airlock = stack.use(
    await startAirlock({ database: { name: 'restarted', url, drop: () => Promise.resolve(), [Symbol.asyncDispose]: () => Promise.resolve() } }),
  );
  const { http } = airlock;
  await defineExampleTables(http);
  const bundle = await buildSource({ name: 'slow', version: '1.0.0', source });
  expect((await http.request('POST', '/api/airlock/v1/bundles', { body: bundle })).status).toBe(200);
  const ids = ['A', 'B'].map(() => http.request('POST', 'contacts', { body: { lastname: 'Before' } }));
  expect((await Promise.all(ids)).map(({ status }) => status)).toEqual([204, 204]);

  const slow = http.request('POST', 'accounts', { body: { name: 'Slow' }, headers: { prefer: 'odata.include-annotations="*"' } });
  const sql = postgres(url, { max: 1 });
  await until(
    async () =>
      (await sql`select 1 from pg_stat_activity where datname = 'restarted' and state = 'idle in transaction' and query like '%description%task%'`)
        .length === 1,
  );
  await sql.end();
  await server.stop();
  const ended = await slow;
  expect([ended.status, errorOf(ended).code, errorOf(ended)['@Airlock.Retriable']], airlock.logs()).toEqual([503, '0x80040255', 'true']);
  const meanwhile = await http.request('POST', 'contacts', { body: { lastname: 'Meanwhile' } });
  expect(meanwhile.status, airlock.logs()).toBe(503);
  expect(meanwhile.headers.get('retry-after')).toMatch(/^\d+$/);
  expect((await http.request('GET', '/healthz')).status).toBe(200);
  await until(async () => (await http.request('GET', '/readyz')).status === 503);

  server = await start();
  expect(server.urlOf('restarted')).toBe(url);
  await until(async () => (await http.request('GET', '/readyz')).status === 200);
  await until(async () => (await http.request('POST', 'accounts', { body: { name: 'After' } })).status === 204);
  const rows = await http.request('GET', 'tasks?$select=subject&$orderby=subject');
  expect((rows.body as { value: { subject: string }[] }).value.map(({ subject }) => subject)).toEqual(['After']);
  const contacts = await http.request('GET', 'contacts?$select=lastname');
  expect((contacts.body as { value: { lastname: string }[] }).value.map(({ lastname }) => lastname)).toEqual(['Before', 'Before']);
});
