import { createLogger } from '@airlock/telemetry';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import type { Queryable } from '../store/queryable.ts';
import { ensureMessages } from './ensure-messages.ts';
import { metadata, migrated, oneType, openRegistry, operator, type Registry, upload } from './fixture.ts';
import { registrationsVersion } from './load-registrations.ts';
import { pushBundle } from './push-bundle.ts';
import { RegistrationCache } from './registration-cache.ts';

const database = useDatabase({ template: migrated });
const log = createLogger({ service: 'test', level: 'silent' });
let registry: Registry;
beforeAll(() => {
  registry = openRegistry(database.url);
});
afterAll(() => registry[Symbol.asyncDispose]());

let version = 0;
async function pushOne(): Promise<void> {
  version += 1;
  registry.answer(oneType({ message: 'Create', table: 'account', stage: 'PreOperation', rank: version }));
  await pushBundle(registry.deps, upload(`1.0.${version}`), operator, { plan: false });
}
const ranks = (cache: RegistrationCache) => [...cache.current.stepsById.values()].map(({ rank }) => rank);

test('a change that is announced is current when the call resolves, also for those who ask while it is read', async () => {
  await using cache = await RegistrationCache.start(registry.db, log, { pollMs: 60_000 });
  await pushOne();
  const first = cache.changed();
  await pushOne();
  await Promise.all([first, cache.changed()]);
  expect(ranks(cache)).toEqual([version]);
});

test('a change that nobody announced is found by the poll', async () => {
  await using cache = await RegistrationCache.start(registry.db, log, { pollMs: 10 });
  await pushOne();
  await expect.poll(() => ranks(cache)).toEqual([version]);
});

test('a read that fails leaves the last good state in use', async () => {
  let broken = false;
  const db: Queryable = { query: (statement) => (broken ? Promise.reject(new Error('gone')) : registry.db.query(statement)) };
  await using cache = await RegistrationCache.start(db, log, { pollMs: 60_000 });
  const before = cache.current;
  broken = true;
  await pushOne();
  await cache.changed();
  expect(cache.current).toBe(before);
  broken = false;
  await cache.changed();
  expect(ranks(cache)).toEqual([version]);
});

test('a row that cannot be understood is an error, not a step that silently does not run', async () => {
  await using cache = await RegistrationCache.start(registry.db, log, { pollMs: 60_000 });
  const before = cache.current;
  await registry.db.query(sql`update airlock.sdkmessageprocessingstep set limits = '{"wallMs":"long"}'`);
  await cache.changed();
  expect(cache.current).toBe(before);
  await registry.db.query(sql`update airlock.sdkmessageprocessingstep set limits = '{}'`);
});

test('making the messages and filters again changes nothing', async () => {
  const filters = () =>
    registry.db.query(sql`
    select m.name, f.primaryobjecttypecode as "table", f.iscustomprocessingstepallowed as allowed, f.versionnumber
    from airlock.sdkmessagefilter f join airlock.sdkmessage m using (sdkmessageid) order by 1, 2`);
  await ensureMessages(registry.db, metadata);
  const before = await filters();
  expect(before.filter(({ table }) => table === 'contact').map(({ name }) => name)).toEqual([
    'Create',
    'Delete',
    'Retrieve',
    'RetrieveMultiple',
    'Update',
  ]);
  expect(new Set(before.filter(({ table }) => table === 'plugintracelog').map(({ allowed }) => allowed))).toEqual(new Set([false]));
  await ensureMessages(registry.db, metadata);
  expect(await filters()).toEqual(before);
});

test('the version that is polled is the one that was loaded', async () => {
  await using cache = await RegistrationCache.start(registry.db, log, { pollMs: 60_000 });
  expect(await registrationsVersion(registry.db)).toBe(cache.current.version);
});
