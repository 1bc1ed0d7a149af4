import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { clear, codeOf, migrated, onCreate, oneType, onUpdate, openRegistry, operator, type Registry, upload } from '../registrations/fixture.ts';
import { loadRegistrations } from '../registrations/load-registrations.ts';
import { pushBundle } from '../registrations/push-bundle.ts';
import { setSecureConfiguration } from '../registrations/set-secure-configuration.ts';
import { rewrapDataKeys } from './data-keys.ts';
import { newMasterKey, parseMasterKeys } from './master-key.ts';
import { createSecretKeeper, noMasterKey, type SecretKeeper } from './secret-keeper.ts';

const SECRET = 'sk-live-9c1f04b7 "quoted"\nsecond line';
const database = useDatabase({ template: migrated });
let registry: Registry;
let steps: string[];
beforeAll(() => {
  registry = openRegistry(database.url);
});
afterAll(() => registry[Symbol.asyncDispose]());
beforeEach(async () => {
  await clear(registry.db);
  registry.answer(oneType(onCreate, onUpdate));
  await pushBundle(registry.deps, upload('1.0.0'), operator, { plan: false });
  const rows = await registry.db.query(sql`select sdkmessageprocessingstepid as id from airlock.sdkmessageprocessingstep order by stage`);
  steps = rows.map(({ id }) => String(id));
});

const stepId = (index: number) => steps[index] ?? '';
const set = (index: number, value: string, secrets: SecretKeeper = registry.deps.secrets) =>
  setSecureConfiguration({ ...registry.deps, secrets }, stepId(index), value, operator);
/** What each step would run with, or the text of what it fails with. */
async function configurations(secrets: SecretKeeper = registry.deps.secrets) {
  const { stepsById } = await loadRegistrations(registry.db, secrets);
  return steps.map((id) => {
    try {
      return stepsById.get(id as never)?.secureConfiguration;
    } catch (error) {
      return String(error);
    }
  });
}
/** Every value of every table of both schemas, as text. */
async function everythingStored(): Promise<string> {
  const tables = await registry.db.query(sql`
    select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('airlock', 'data') order by 1`);
  const texts: string[] = [];
  for (const { name } of tables) {
    const rows = await registry.db.query(sql`select t::text as row from ${sql.raw(String(name))} t`);
    texts.push(...rows.map(({ row }) => String(row)));
  }
  return texts.join('\n');
}

test('a secret is nowhere in the database as it is, not in parts and not as base64', async () => {
  await set(0, SECRET);
  expect((await configurations())[0]).toBe(SECRET);
  const stored = await everythingStored();
  expect(stored).toContain('set-secure-configuration');
  for (const part of [SECRET, 'sk-live-9c1f04b7', 'second line', Buffer.from(SECRET).toString('base64'), Buffer.from(SECRET).toString('hex')]) {
    expect(stored).not.toContain(part);
  }
});

test('the same secret is stored as another text each time', async () => {
  await set(0, SECRET);
  await set(1, SECRET);
  const rows = await registry.db.query(sql`select distinct secureconfig from airlock.sdkmessageprocessingstepsecureconfig`);
  expect(rows).toHaveLength(2);
  expect(await registry.db.query(sql`select 1 from airlock.datakey`)).toHaveLength(1);
});

describe('what was sealed does not open', () => {
  test('when its row is given to another step, and that step fails rather than run without it', async () => {
    await set(0, SECRET);
    await registry.db.query(sql`
      update airlock.sdkmessageprocessingstep set sdkmessageprocessingstepsecureconfigid =
        (select sdkmessageprocessingstepsecureconfigid from airlock.sdkmessageprocessingstep where sdkmessageprocessingstepid = ${stepId(0)}::uuid)`);
    const [own, moved] = await configurations();
    expect(own).toBe(SECRET);
    expect(moved).toContain('belongs to another step');
    const { unreadable } = await loadRegistrations(registry.db, registry.deps.secrets);
    expect(unreadable.map((each) => each.stepId)).toEqual([stepId(1)]);
  });

  test('in another organization', async () => {
    await set(0, SECRET);
    await registry.db.query(sql`update airlock.datakey set organizationid = ${randomUUID()}::uuid`);
    expect((await configurations())[0]).toContain('no data key of version 1');
    await registry.db.query(sql`update airlock.organization set organizationid = (select organizationid from airlock.datakey)`);
    expect((await configurations())[0]).toContain('changed in the database');
  });

  test.for([
    ['one changed character', (text: string) => text.replace(/(?<=^s1\.1\..{30})./, (one) => (one === 'A' ? 'B' : 'A'))],
    ['another version of the data key', (text: string) => text.replace('s1.1.', 's1.2.')],
    ['a cut ciphertext', (text: string) => text.slice(0, 24)],
    ['plain text', () => 'plain text of somebody who can write to the table'],
    ['nothing', () => ''],
  ] as const)('with %s', async ([, change]) => {
    await set(0, SECRET);
    const [row] = await registry.db.query(sql`select secureconfig from airlock.sdkmessageprocessingstepsecureconfig`);
    await registry.db.query(sql`update airlock.sdkmessageprocessingstepsecureconfig set secureconfig = ${change(String(row?.['secureconfig']))}`);
    expect((await configurations())[0]).toMatch(/^PlatformError: The plug-in step "CreditCheck: .*" cannot run because its secure configuration/);
  });

  test('with another master key, or none', async () => {
    await set(0, SECRET);
    expect((await configurations(createSecretKeeper(parseMasterKeys(newMasterKey()))))[0]).toContain('not among the 1 keys');
    expect((await configurations(noMasterKey))[0]).toContain('no master key is configured');
  });
});

test('without a master key a secret is refused with what to do, and can still be removed', async () => {
  expect(await codeOf(set(0, SECRET, noMasterKey))).toBe('MASTER_KEY_MISSING');
  await set(0, SECRET);
  expect(await codeOf(set(1, SECRET, createSecretKeeper(parseMasterKeys(newMasterKey()))))).toBe('MASTER_KEY_MISSING');
  await set(0, '', noMasterKey);
  expect(await configurations(noMasterKey)).toEqual(['', '']);
});

test('a step with a secret that cannot be opened leaves the others alone', async () => {
  await set(0, SECRET);
  const { index, unreadable } = await loadRegistrations(registry.db, noMasterKey);
  expect(unreadable).toHaveLength(1);
  expect(index.byMessage.size).toBe(2);
  expect((await configurations(noMasterKey))[1]).toBe('');
});

test('the master key is changed by wrapping the data keys again; then the old one is not needed', async () => {
  const [old, fresh] = [newMasterKey(), newMasterKey()];
  await set(0, SECRET, createSecretKeeper(parseMasterKeys(old)));
  const [before] = await registry.db.query(sql`select secureconfig from airlock.sdkmessageprocessingstepsecureconfig`);
  const both = parseMasterKeys(`${fresh}\n${old}`);
  expect((await configurations(createSecretKeeper(both)))[0]).toBe(SECRET);
  expect(await registry.db.inTransaction((tx) => rewrapDataKeys(tx, both))).toBe(1);
  expect(await registry.db.inTransaction((tx) => rewrapDataKeys(tx, both))).toBe(0);
  expect((await configurations(createSecretKeeper(parseMasterKeys(fresh))))[0]).toBe(SECRET);
  expect((await configurations(createSecretKeeper(parseMasterKeys(old))))[0]).toContain('not among the 1 keys');
  expect(await registry.db.query(sql`select secureconfig from airlock.sdkmessageprocessingstepsecureconfig`)).toEqual([before]);
});

test('a rotation that cannot take a data key along changes nothing', async () => {
  await set(0, SECRET);
  await expect(registry.db.inTransaction((tx) => rewrapDataKeys(tx, parseMasterKeys(newMasterKey())))).rejects.toThrow('Nothing was changed');
  expect((await configurations())[0]).toBe(SECRET);
});

test('two dispatchers that set the first secrets at once make one data key', async () => {
  await using other = openRegistry(database.url);
  const secrets = registry.deps.secrets;
  await Promise.all([set(0, 'first secret'), setSecureConfiguration({ ...other.deps, secrets }, stepId(1), 'second secret', operator)]);
  expect(await configurations()).toEqual(['first secret', 'second secret']);
  expect(await registry.db.query(sql`select 1 from airlock.datakey`)).toHaveLength(1);
});
