import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import type { Role } from '../metadata/table.ts';
import { openDatabase } from '../records/fixture.ts';
import { migrate } from '../store/migrate.ts';
import type { PlatformDatabase } from '../store/platform-database.ts';
import { ROOT_BUSINESS_UNIT_ID, SYSTEM_USER_ID } from '../store/well-known.ts';
import { createKeyStore, defaultKeyStoreOptions, type KeyStore } from './keys.ts';

const database = useDatabase();
let db: PlatformDatabase;
beforeAll(async () => {
  await migrate({ url: database.url, organizationName: 'Test' });
  db = openDatabase(database.url);
});
afterAll(() => db[Symbol.asyncDispose]());

const START_MS = Date.parse('2026-06-01T00:00:00Z');
const DAY_MS = 86_400_000;
let nowMs = START_MS;
let statements = 0;
let lastUsedFailures: unknown[] = [];
let keys: KeyStore;
beforeEach(() => {
  nowMs = START_MS;
  lastUsedFailures = [];
  keys = openKeys();
  statements = 0;
});

/** As each dispatcher has its own: over the same database, counting what is asked of it. */
function openKeys(maxCached: number = defaultKeyStoreOptions.maxCached): KeyStore {
  const counted = { query: (statement: Parameters<PlatformDatabase['query']>[0]) => ((statements += 1), db.query(statement)) };
  return createKeyStore(counted, {
    ...defaultKeyStoreOptions,
    maxCached,
    nowMs: () => nowMs,
    onLastUsedFailed: (error) => void lastUsedFailures.push(error),
  });
}

async function newUser(role: Role): Promise<string> {
  const id = randomUUID();
  await db.query(
    sql`insert into airlock.systemuser (systemuserid, fullname, role, businessunitid) values (${id}::uuid, 'Some One', ${role}, ${ROOT_BUSINESS_UNIT_ID}::uuid)`,
  );
  return id;
}

async function issued(role: Role = 'author') {
  const systemuserid = await newUser(role);
  const key = await keys.issueKey({ systemuserid, name: 'laptop', expiresInDays: 30 });
  if (key === undefined) throw new Error('no key was issued');
  return { ...key, systemuserid };
}

describe('a key', () => {
  test('signs its user in with the user’s role', async () => {
    const { key, id, systemuserid } = await issued('author');
    expect(key).toMatch(/^alk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$/);
    expect(await keys.authenticate(key)).toEqual({
      ok: true,
      keyId: id,
      caller: { userId: systemuserid, authenticatedUserId: systemuserid, role: 'author' },
    });
  });
  test('is nowhere in the database', async () => {
    const { key, id } = await issued();
    const rows = await db.query(sql`select to_jsonb(k)::text as row from airlock.apikey k where apikeyid = ${id}::uuid`);
    expect(rows).toHaveLength(1);
    expect(String(rows[0]?.['row'])).not.toContain(key.slice(13));
  });
  test('ends on its day', async () => {
    const { key, expiresOn } = await issued();
    expect(Date.parse(expiresOn)).toBe(START_MS + 30 * DAY_MS);
    nowMs = START_MS + 30 * DAY_MS - 1;
    expect((await keys.authenticate(key)).ok).toBe(true);
    nowMs += 1;
    expect(await keys.authenticate(key)).toEqual({ ok: false, reason: 'expired' });
  });
  test('that was revoked is refused here at once, and elsewhere when the cache forgets', async () => {
    const elsewhere = openKeys();
    const { key, id } = await issued();
    expect([(await keys.authenticate(key)).ok, (await elsewhere.authenticate(key)).ok]).toEqual([true, true]);
    expect(await keys.revokeKey(id)).toBe(true);
    expect(await keys.authenticate(key)).toEqual({ ok: false, reason: 'revoked' });
    expect((await elsewhere.authenticate(key)).ok).toBe(true);
    nowMs += defaultKeyStoreOptions.cacheMs;
    expect(await elsewhere.authenticate(key)).toEqual({ ok: false, reason: 'revoked' });
    expect(await keys.revokeKey(id)).toBe(false);
    expect(await keys.revokeKey(randomUUID())).toBe(false);
  });
  test('of a user who was disabled is refused when the cache forgets', async () => {
    const { key, systemuserid } = await issued();
    expect((await keys.authenticate(key)).ok).toBe(true);
    await db.query(sql`update airlock.systemuser set isdisabled = true where systemuserid = ${systemuserid}::uuid`);
    nowMs += defaultKeyStoreOptions.cacheMs;
    expect(await keys.authenticate(key)).toEqual({ ok: false, reason: 'user-disabled' });
  });
  test('differing in any one character is unknown', async () => {
    const { key } = await issued();
    for (const at of [4, 11, 13, 30, key.length - 2]) {
      const other = key.slice(0, at) + (key[at] === 'a' ? 'b' : 'a') + key.slice(at + 1);
      expect(await keys.authenticate(other)).toEqual({ ok: false, reason: 'unknown' });
    }
  });
  test.for(['', 'alk_', `alk_${'0'.repeat(8)}_short`, 'Bearer x', "' or '1'='1"])('written as %j asks nothing of the database', async (text) => {
    expect(await keys.authenticate(text)).toEqual({ ok: false, reason: 'malformed' });
    expect(statements).toBe(0);
  });
  test('is not issued to SYSTEM or to nobody', async () => {
    for (const systemuserid of [SYSTEM_USER_ID, randomUUID()]) {
      expect(await keys.issueKey({ systemuserid, name: 'x', expiresInDays: 1 })).toBeUndefined();
    }
  });
});

describe('the look-up', () => {
  test('is made once for a burst, and the time of use is written once a minute, together', async () => {
    const { key, id } = await issued();
    statements = 0;
    await Promise.all(Array.from({ length: 50 }, () => keys.authenticate(key)));
    expect(statements).toBe(1);
    await keys[Symbol.asyncDispose]();
    expect(statements).toBe(2);
    const [row] = await db.query(sql`select lastusedon from airlock.apikey where apikeyid = ${id}::uuid`);
    expect(row?.['lastusedon']).toBeTypeOf('string');
    expect(lastUsedFailures).toEqual([]);
  });
  test('that fails is not believed', async () => {
    const { key } = await issued();
    let isDown = true;
    const flaky = createKeyStore(
      { query: (statement) => (isDown ? Promise.reject(new Error('down')) : db.query(statement)) },
      { ...defaultKeyStoreOptions, nowMs: () => nowMs, onLastUsedFailed: () => undefined },
    );
    await expect(flaky.authenticate(key)).rejects.toThrow('down');
    isDown = false;
    expect((await flaky.authenticate(key)).ok).toBe(true);
  });
  test('is bounded: the oldest answer goes first', async () => {
    const small = openKeys(1);
    const [one, two] = [await issued(), await issued()];
    statements = 0;
    for (const { key } of [one, two, two, one]) await small.authenticate(key);
    expect(statements).toBe(3);
  });
});

test('an impersonated user is found with its role unless it is disabled or SYSTEM', async () => {
  const id = await newUser('user');
  expect(await keys.findUser(id)).toEqual({ userId: id, role: 'user' });
  await db.query(sql`update airlock.systemuser set isdisabled = true where systemuserid = ${id}::uuid`);
  expect(await keys.findUser(id)).toBeUndefined();
  expect(await keys.findUser(SYSTEM_USER_ID)).toBeUndefined();
  expect(await keys.findUser(randomUUID())).toBeUndefined();
});
