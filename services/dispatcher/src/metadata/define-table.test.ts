import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { codeOf, exampleTables, migrated, openDatabase } from '../records/fixture.ts';
import type { PlatformDatabase } from '../store/platform-database.ts';
import { defineTable, planTable } from './define-table.ts';
import { loadMetadata, metadataVersion } from './load-metadata.ts';

const database = useDatabase({ template: migrated });
let db: PlatformDatabase;
beforeAll(() => {
  db = openDatabase(database.url);
});
afterAll(() => db[Symbol.asyncDispose]());

const define = (definition: unknown) => db.inTransaction((tx) => defineTable(tx, definition));
const column = (logicalName: string, type: string, rest: object = {}) => ({ logicalName, displayName: logicalName, type, ...rest });
const table = (logicalName: string, columns: readonly object[], rest: object = {}) => ({
  logicalName,
  displayName: logicalName,
  displayCollectionName: logicalName,
  entitySetName: `${logicalName}_set`,
  primaryNameAttribute: 'name',
  columns: [column('name', 'string'), ...columns],
  ...rest,
});
const physicalColumns = async (name: string) =>
  new Map(
    (await db.query(sql`select column_name, data_type from information_schema.columns where table_schema = 'data' and table_name = ${name}`)).map(
      (row) => [row['column_name'], row['data_type']],
    ),
  );

describe('a new definition', () => {
  test('makes a real table with a column of its own type for each column, and the columns that every table has', async () => {
    await define(
      table('every', [
        column('memo1', 'memo'),
        column('integer1', 'integer'),
        column('bigint1', 'bigint'),
        column('decimal1', 'decimal'),
        column('float1', 'float'),
        column('money1', 'money'),
        column('boolean1', 'boolean'),
        column('datetime1', 'datetime'),
        column('date1', 'date'),
        column('uuid1', 'uuid'),
        column('choice1', 'choice', { choices: [{ value: 1, label: 'One' }] }),
        column('multichoice1', 'multichoice', { choices: [{ value: 1, label: 'One' }] }),
        column('lookup1', 'lookup', { targets: ['every'] }),
        column('anylookup', 'lookup', { targets: ['every', 'systemuser'] }),
      ]),
    );
    expect(Object.fromEntries(await physicalColumns('every'))).toEqual({
      everyid: 'uuid',
      createdon: 'timestamp with time zone',
      modifiedon: 'timestamp with time zone',
      createdby: 'uuid',
      modifiedby: 'uuid',
      ownerid: 'uuid',
      statecode: 'integer',
      statuscode: 'integer',
      versionnumber: 'bigint',
      name: 'text',
      memo1: 'text',
      integer1: 'integer',
      bigint1: 'bigint',
      decimal1: 'numeric',
      float1: 'double precision',
      money1: 'numeric',
      boolean1: 'boolean',
      datetime1: 'timestamp with time zone',
      date1: 'date',
      uuid1: 'uuid',
      choice1: 'integer',
      multichoice1: 'ARRAY',
      lookup1: 'uuid',
      anylookup: 'uuid',
      anylookuptype: 'text',
    });
  });

  test('comes back from the metadata as it was given, with its defaults', async () => {
    await define(
      table('described', [column('amount', 'money', { minimum: 0.5 })], {
        keys: [{ logicalName: 'by_name', columns: ['name'] }],
        rights: { delete: null, write: 'author' },
      }),
    );
    const metadata = await loadMetadata(db);
    const described = metadata.tables.get('described');
    expect(described?.columns.get('amount')).toEqual({
      logicalName: 'amount',
      displayName: 'amount',
      type: 'money',
      required: false,
      readOnly: false,
      scale: 2,
      minimum: 0.5,
    });
    expect(described?.rights).toEqual({ create: 'user', read: 'user', write: 'author', delete: undefined });
    expect(described?.keys).toEqual([{ logicalName: 'by_name', columns: ['name'] }]);
    expect(metadata.bySetName.get('described_set')).toBe(described);
    expect(described?.columns.get('versionnumber')?.readOnly).toBe(true);
  });

  test('offers every message of the table to the authors of plug-ins', async () => {
    await define(table('offered', []));
    const rows = await db.query(
      sql`select m.name, f.iscustomprocessingstepallowed as allowed from airlock.sdkmessagefilter f join airlock.sdkmessage m using (sdkmessageid) where f.primaryobjecttypecode = 'offered' order by m.name`,
    );
    expect(rows.map((row) => [row['name'], row['allowed']])).toEqual(
      ['Create', 'Delete', 'Retrieve', 'RetrieveMultiple', 'Update'].map((name) => [name, true]),
    );
  });

  test('may point to a table that comes later, which then completes the lookup', async () => {
    const first = await define(table('early', [column('lateid', 'lookup', { targets: ['late'] })]));
    expect(first.waitingFor).toEqual(['late']);
    const second = await define(table('late', []));
    expect(second.statements.some((text) => text.includes('foreign key') && text.includes('"early"'))).toBe(true);
    const rows = await db.query(sql`select 1 from pg_constraint where conname = 'fk_early.lateid'`);
    expect(rows).toHaveLength(1);
  });

  test('holds the checked-in example model', async () => {
    for (const definition of exampleTables) expect((await define(definition)).created).toBe(true);
    for (const definition of exampleTables) expect(await define(definition)).toMatchObject({ changed: false, statements: [] });
  });
});

describe('a definition again', () => {
  test('changes nothing when it says the same, not even the version of the metadata', async () => {
    const definition = table('same', [column('note', 'memo')]);
    await define(definition);
    const version = await metadataVersion(db);
    expect(await define(definition)).toMatchObject({ created: false, changed: false });
    expect(await metadataVersion(db)).toBe(version);
    expect(await loadMetadata(db)).toBe(await loadMetadata(db));
  });

  test('adds columns, keys, choices and length and keeps the rows', async () => {
    await define(table('growing', [column('kind', 'choice', { choices: [{ value: 1, label: 'One' }] })]));
    await db.query(sql`insert into data.growing (name, kind, createdby, modifiedby, ownerid) values ('kept', 1, uuidv7(), uuidv7(), uuidv7())`);
    const larger = {
      ...table('growing', []),
      columns: [
        column('name', 'string', { maxLength: 200 }),
        column('kind', 'choice', {
          choices: [
            { value: 1, label: 'Uno' },
            { value: 2, label: 'Two' },
          ],
        }),
        column('added', 'date'),
      ],
      keys: [{ logicalName: 'by_name', columns: ['name'] }],
    };
    const version = await metadataVersion(db);
    expect(planTable(await loadMetadata(db), larger)).toEqual([
      'alter table "data"."growing" add column "added" date',
      'create unique index "uk_growing.by_name" on "data"."growing" (lower("name" collate "pg_c_utf8"))',
    ]);
    await define(larger);
    expect(await metadataVersion(db)).toBe(version + 1);
    expect(await db.query(sql`select name, kind, added from data.growing`)).toEqual([{ name: 'kept', kind: 1, added: null }]);
    expect((await loadMetadata(db)).tables.get('growing')?.columns.get('kind')?.choices).toEqual([
      { value: 1, label: 'Uno' },
      { value: 2, label: 'Two' },
    ]);
  });

  const before = table(
    'fixed',
    [
      column('amount', 'money', { scale: 4 }),
      column('text1', 'string', { maxLength: 50 }),
      column('kind', 'choice', { choices: [{ value: 1, label: 'One' }] }),
      column('toid', 'lookup', { targets: ['fixed'] }),
    ],
    {
      keys: [{ logicalName: 'by_name', columns: ['name'] }],
    },
  );
  const changed = (name: string, column: object | undefined) => ({
    ...before,
    columns: before.columns.flatMap((old) =>
      (old as { logicalName: string }).logicalName === name ? (column === undefined ? [] : [{ ...old, ...column }]) : [old],
    ),
  });
  test.for([
    ['drops a column', changed('amount', undefined), 'lacks the column "amount"'],
    ['changes a type', changed('text1', { type: 'memo' }), 'is of type string, not memo'],
    ['shortens a text', changed('text1', { maxLength: 49 }), 'may hold 50 characters already'],
    ['keeps fewer digits', changed('amount', { scale: 2 }), 'has 4 digits'],
    ['drops a choice', changed('kind', { choices: [{ value: 2, label: 'Two' }] }), 'lacks the choice 1'],
    ['drops a target', changed('toid', { targets: ['systemuser'] }), 'no longer points to "fixed"'],
    ['makes a lookup polymorphic', changed('toid', { targets: ['fixed', 'systemuser'] }), 'cannot become one to several'],
    ['drops a key', { ...before, keys: [] }, 'key "by_name"'],
  ] as const)('is refused when it %s', async ([, definition, reason]) => {
    await define(before);
    await expect(define(definition)).rejects.toThrow(reason);
  });
});

test.for([
  ['an illegal name', table('a"b', [])],
  ['a name in capitals', table('Account', [])],
  ['the name of a platform table', table('systemuser', [])],
  ['the name of the sequence of versions', table('versionnumber', [])],
  ['the set name of another table', table('x', [], { entitySetName: 'systemusers' })],
  ['a column that every table has', table('x', [column('createdon', 'datetime')])],
  ['a column twice', table('x', [column('a', 'date'), column('a', 'date')])],
  ['a column with the name of the second half of a lookup', table('x', [column('a', 'lookup', { targets: ['x', 'y'] }), column('atype', 'string')])],
  ['a column that every object has', table('x', [column('constructor', 'string')])],
  ['a choice column without choices', table('x', [column('a', 'choice')])],
  [
    'a choice twice',
    table('x', [
      column('a', 'choice', {
        choices: [
          { value: 1, label: 'a' },
          { value: 1, label: 'b' },
        ],
      }),
    ]),
  ],
  ['a lookup to nowhere', table('x', [column('a', 'lookup')])],
  ['a length for a number', table('x', [column('a', 'integer', { maxLength: 3 })])],
  ['an empty range', table('x', [column('a', 'integer', { minimum: 3, maximum: 2 })])],
  ['a primary name that is no text', table('x', [], { primaryNameAttribute: 'xid' })],
  ['a primary name that no index can hold', { ...table('x', []), columns: [column('name', 'string', { maxLength: 851 })] }],
  ['a key of an unknown column', table('x', [], { keys: [{ logicalName: 'k', columns: ['b'] }] })],
  ['a key of a memo', table('x', [column('a', 'memo')], { keys: [{ logicalName: 'k', columns: ['a'] }] })],
  ['no table at all', null],
] as const)('a definition with %s is refused and leaves nothing', async ([, definition]) => {
  const version = await metadataVersion(db);
  expect(await codeOf(define(definition))).toBe('INVALID_ARGUMENT');
  expect(await metadataVersion(db)).toBe(version);
});

test('the longest names that are allowed find their way into the database and back', async () => {
  const long = (text: string) => text.padEnd(61, 'x');
  const name = long('l');
  await define(
    table(name, [column(long('c'), 'lookup', { targets: [name] }), column('note', 'string')], {
      entitySetName: 'long_set',
      keys: [{ logicalName: long('k'), columns: ['note'] }],
    }),
  );
  expect((await physicalColumns(name)).get(long('c'))).toBe('uuid');
  expect(
    await define(
      table(name, [column(long('c'), 'lookup', { targets: [name] }), column('note', 'string')], {
        entitySetName: 'long_set',
        keys: [{ logicalName: long('k'), columns: ['note'] }],
      }),
    ),
  ).toMatchObject({ changed: false });
});

test("names that run into each other when they are joined do not get in each other's way", async () => {
  const keys = [{ logicalName: 'by_name', columns: ['name'] }];
  await define(table('order_line', [column('order', 'lookup', { targets: ['order_line'] })], { keys }));
  await define(
    table('order', [column('line_order', 'lookup', { targets: ['order_line'] })], { keys: [{ ...keys[0], logicalName: 'line_by_name' }] }),
  );
  const rows = await db.query(sql`select 1 from pg_indexes where schemaname = 'data' and tablename in ('order', 'order_line')`);
  expect(rows).toHaveLength(10);
});

test('two definitions at once, each pointing to the other, both come out whole', async () => {
  const other = openDatabase(database.url);
  await Promise.all([
    db.inTransaction((tx) => defineTable(tx, table('left', [column('rightid', 'lookup', { targets: ['right'] })]))),
    other.inTransaction((tx) => defineTable(tx, table('right', [column('leftid', 'lookup', { targets: ['left'] })]))),
  ]);
  await other[Symbol.asyncDispose]();
  const rows = await db.query(sql`select conname from pg_constraint where conname in ('fk_left.rightid', 'fk_right.leftid')`);
  expect(rows).toHaveLength(2);
});
