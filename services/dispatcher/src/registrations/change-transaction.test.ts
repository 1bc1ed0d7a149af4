import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { PlatformDatabase } from '../store/platform-database.ts';
import { changeTransaction } from './change-transaction.ts';
import { codeOf, migrated, oneType, openRegistry, operator, upload } from './fixture.ts';
import { pushBundle } from './push-bundle.ts';
import { patchSettings } from './settings.ts';

const database = useDatabase({ template: migrated });
let hasty: PlatformDatabase;
beforeAll(() => {
  hasty = new PlatformDatabase({ url: database.url, statementTimeoutMs: 20_000, lockTimeoutMs: 50, idleInTransactionTimeoutMs: 20_000 });
});
afterAll(() => hasty[Symbol.asyncDispose]());

test('a change that waits too long for another one is a collision that may be tried again, for pushes and patches', async () => {
  await using other = openRegistry(database.url);
  await using registry = openRegistry(database.url);
  registry.answer(oneType());
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const { promise: holds, resolve: isHeld } = Promise.withResolvers<void>();
  const holding = other.db.inTransaction(async (tx) => {
    await tx.query(sql`select 1 from airlock.organization for update`);
    isHeld();
    await held;
  });
  await holds;
  const deps = { ...registry.deps, db: hasty };
  expect(await codeOf(patchSettings(deps, { maxDepth: 4 }, operator))).toBe('TRANSACTION_CONFLICT');
  expect(await codeOf(pushBundle(deps, upload('1.0.0'), operator, { plan: false }))).toBe('TRANSACTION_CONFLICT');
  release();
  await holding;
  expect((await pushBundle(deps, upload('1.0.0'), operator, { plan: false })).applied).toBe(true);
});

test('what two changes store at once is a collision too', async () => {
  const insert = () => changeTransaction(hasty, (tx) => tx.query(sql`insert into airlock.sdkmessage (name, categoryname) values ('Twice', 'CRUD')`));
  await insert();
  expect(await codeOf(insert())).toBe('TRANSACTION_CONFLICT');
});

test('a statement that runs too long says so, and what nobody foresaw stays as it is', async () => {
  const slow = (tx: Parameters<Parameters<typeof changeTransaction>[1]>[0]) =>
    tx.query(sql`select set_config('statement_timeout', '20', true)`).then(() => tx.query(sql`select pg_sleep(5)`));
  expect(await codeOf(changeTransaction(hasty, slow))).toBe('SQL_TIMEOUT');
  expect(await codeOf(changeTransaction(hasty, (tx) => tx.query(sql`select 1 / 0`)))).toContain('division by zero');
});
