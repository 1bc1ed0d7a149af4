import { randomUUID } from 'node:crypto';
import { PlatformError } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { loadMetadata } from '../metadata/load-metadata.ts';
import type { Table } from '../metadata/table.ts';
import type { PlatformDatabase } from '../store/platform-database.ts';
import { SYSTEM_USER_ID } from '../store/well-known.ts';
import { codeOf, openDatabase, withModel } from './fixture.ts';
import { retrieveRecord } from './read.ts';
import { translateDatabaseError } from './translate-database-error.ts';
import { createRecord, updateRecord } from './write.ts';

const database = useDatabase({ template: withModel });
let db: PlatformDatabase;
let account: Table;
beforeAll(async () => {
  db = openDatabase(database.url);
  account = (await loadMetadata(db)).tables.get('account') ?? expect.fail('no table');
});
afterAll(() => db[Symbol.asyncDispose]());

const failure = async (work: Promise<unknown>): Promise<unknown> =>
  await work.then(
    () => expect.fail('nothing failed'),
    (error: unknown) => error,
  );

test('of two operations that wait for each other, one is told to try again and the other succeeds', async () => {
  const create = (name: string) => createRecord(db, account, { attributes: { name } }, SYSTEM_USER_ID);
  const [first, second] = [await create('first'), await create('second')];
  await using other = openDatabase(database.url);
  const bothHoldOne = Promise.withResolvers<void>();
  let holding = 0;
  const run = (on: PlatformDatabase, mine: string, theirs: string) =>
    codeOf(
      on.inTransaction(async (tx) => {
        await updateRecord(tx, account, { id: mine, attributes: { fax: '1' } }, SYSTEM_USER_ID);
        holding += 1;
        if (holding === 2) bothHoldOne.resolve();
        await bothHoldOne.promise;
        await updateRecord(tx, account, { id: theirs, attributes: { fax: '2' } }, SYSTEM_USER_ID);
      }),
    );
  const codes = await Promise.all([run(db, first.id, second.id), run(other, second.id, first.id)]);
  expect(codes.toSorted((a, b) => a.localeCompare(b))).toEqual(['none', 'TRANSACTION_CONFLICT']);
});

test('a serialization failure is a conflict that may be tried again', async () => {
  const { id } = await createRecord(db, account, { attributes: { name: 'serial' } }, SYSTEM_USER_ID);
  await using other = openDatabase(database.url);
  const work = other.inTransaction(async (tx) => {
    await tx.query(sql`set transaction isolation level repeatable read`);
    await retrieveRecord(tx, account, id, ['name']);
    await updateRecord(db, account, { id, attributes: { name: 'a' } }, SYSTEM_USER_ID);
    await updateRecord(tx, account, { id, attributes: { name: 'b' } }, SYSTEM_USER_ID);
  });
  expect(await codeOf(work)).toBe('TRANSACTION_CONFLICT');
});

test('a statement that ran out of time names its limit', async () => {
  const slow = db.inTransaction(async (tx) => {
    await tx.query(sql`set local statement_timeout = '20ms'`);
    await tx.query(sql`select pg_sleep(20)`);
  });
  const translated = translateDatabaseError(await failure(slow), account, { statementTimeoutMs: 20 });
  expect(translated?.code).toBe('SQL_TIMEOUT');
  expect(translated?.message).toContain('20 ms');
});

test('an error of the database is recognised behind those that wrap it, and keeps the cause', async () => {
  const id = randomUUID();
  await createRecord(db, account, { id, attributes: { name: 'one' } }, SYSTEM_USER_ID);
  const raw = await failure(db.query(sql`insert into data.account (accountid, createdby, modifiedby, ownerid) values (${id}, ${id}, ${id}, ${id})`));
  const wrapped = new Error('outer', { cause: new Error('inner', { cause: raw }) });
  expect(translateDatabaseError(wrapped, account)?.code).toBe('DUPLICATE_RECORD');
  expect(translateDatabaseError(wrapped, account)?.cause).toBe(wrapped);
});

test('what is no error of a row stays what it is', async () => {
  expect(translateDatabaseError(await failure(db.query(sql`select * from data.nowhere`)), account)).toBeUndefined();
  expect(translateDatabaseError(null, account)).toBeUndefined();
  expect(translateDatabaseError({ code: 'ECONNRESET' }, account)).toBeUndefined();
  const own = new PlatformError('VERSION_MISMATCH');
  expect(translateDatabaseError(own, account)).toBe(own);
});
