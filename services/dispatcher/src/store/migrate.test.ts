import { getTableColumns, sql } from 'drizzle-orm';
import { getTableConfig } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { isPolymorphic, physicalTypes } from '../metadata/physical.ts';
import { platformTables } from '../metadata/platform-tables.ts';
import { openDatabase } from '../records/fixture.ts';
import { migrate } from './migrate.ts';
import type { PlatformDatabase } from './platform-database.ts';
import * as schema from './schema.ts';
import { SYSTEM_USER_ID } from './well-known.ts';

const database = useDatabase();
let db: PlatformDatabase;
beforeAll(async () => {
  // Two dispatchers that start at once on an empty database.
  await Promise.all([migrate({ url: database.url, organizationName: 'First' }), migrate({ url: database.url, organizationName: 'First' })]);
  db = openDatabase(database.url);
});
afterAll(() => db[Symbol.asyncDispose]());

test('a database that is up to date stays as it is, and keeps its organization', async () => {
  const [before] = await db.query(sql`select organizationid, name from airlock.organization`);
  await migrate({ url: database.url, organizationName: 'Another' });
  expect(await db.query(sql`select organizationid, name from airlock.organization`)).toEqual([before]);
  expect(before?.['name']).toBe('First');
});

test('SYSTEM is there and can never sign in', async () => {
  const rows = await db.query(sql`select fullname, role, cansignin from airlock.systemuser where systemuserid = ${SYSTEM_USER_ID}`);
  expect(rows).toEqual([{ fullname: 'SYSTEM', role: 'operator', cansignin: false }]);
});

test('there is one organization only', async () => {
  await expect(db.query(sql`insert into airlock.organization (name, businessunitid) values ('second', uuidv7())`)).rejects.toMatchObject({
    code: '23505',
  });
});

test.for(Object.entries(schema))('the migrations hold the table %s as the schema describes it', async ([, table]) => {
  const { name } = getTableConfig(table);
  const rows = await db.query(
    sql`select column_name, is_nullable from information_schema.columns where table_schema = 'airlock' and table_name = ${name}`,
  );
  const stored = Object.fromEntries(rows.map((row) => [row['column_name'], row['is_nullable'] === 'NO']));
  expect(stored).toEqual(Object.fromEntries(Object.values(getTableColumns(table)).map((column) => [column.name, column.notNull])));
});

test.for(platformTables)('the described table $logicalName has columns that exist, with the types it says', async (table) => {
  const rows = await db.query(sql`select column_name as name, format_type(a.atttypid, a.atttypmod) as type
    from information_schema.columns c join pg_attribute a on a.attname = c.column_name and a.attrelid = ('airlock.' || c.table_name)::regclass
    where table_schema = 'airlock' and table_name = ${table.logicalName}`);
  const stored = new Map(rows.map((row) => [row['name'], row['type']]));
  for (const column of table.columns.values()) {
    expect([column.logicalName, stored.get(column.logicalName)]).toEqual([column.logicalName, physicalTypes[column.type]]);
    expect(isPolymorphic(column)).toBe(false);
  }
});

test('no described table shows code, a manifest, a secret or a hash', () => {
  const shown = platformTables.flatMap((table) => [...table.columns.keys()]);
  for (const hidden of ['code', 'sourcemap', 'manifest', 'keyhash', 'secureconfig', 'sdkmessageprocessingstepsecureconfigid', 'data']) {
    expect(shown).not.toContain(hidden);
  }
  expect(platformTables.map((table) => table.logicalName)).not.toContain('sdkmessageprocessingstepsecureconfig');
  // Only system jobs are changed by updates, which are actions of their state machine.
  const changeable = platformTables.filter(({ rights }) => rights.create !== undefined || rights.write !== undefined || rights.delete !== undefined);
  expect(changeable.map(({ logicalName, rights }) => [logicalName, rights.create])).toEqual([['asyncoperation', undefined]]);
});
