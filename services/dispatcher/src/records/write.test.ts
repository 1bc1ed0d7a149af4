import { randomUUID } from 'node:crypto';
import type { Attributes, AttributeValue, UserId } from '@airlock/pipeline';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { defineTable } from '../metadata/define-table.ts';
import { loadMetadata } from '../metadata/load-metadata.ts';
import type { Metadata, Table } from '../metadata/table.ts';
import type { PlatformDatabase } from '../store/platform-database.ts';
import { SYSTEM_USER_ID } from '../store/well-known.ts';
import { coerceAttributes } from './coerce-attributes.ts';
import { codeOf, openDatabase, withModel } from './fixture.ts';
import { resolveAlternateKey, retrieveRecord } from './read.ts';
import { createRecord, deleteRecord, updateRecord } from './write.ts';

const database = useDatabase({ template: withModel });
const OTHER_USER = randomUUID() as UserId;
let db: PlatformDatabase;
let metadata: Metadata;
let account: Table;
let contact: Table;
let task: Table;
let every: Table;

const one = [
  { value: 1, label: 'One' },
  { value: -2, label: 'Two' },
];
const everyDefinition = {
  logicalName: 'every',
  displayName: 'Every',
  displayCollectionName: 'Every',
  entitySetName: 'everys',
  primaryNameAttribute: 'string1',
  columns: [
    ...['string', 'memo', 'integer', 'bigint', 'decimal', 'float', 'money', 'boolean', 'datetime', 'date', 'uuid'].map((type) => ({
      logicalName: `${type}1`,
      displayName: type,
      type,
    })),
    { logicalName: 'choice1', displayName: 'c', type: 'choice', choices: one },
    { logicalName: 'multichoice1', displayName: 'm', type: 'multichoice', choices: one },
    { logicalName: 'user1', displayName: 'u', type: 'lookup', targets: ['systemuser'] },
    { logicalName: 'any1', displayName: 'a', type: 'lookup', targets: ['systemuser', 'account'] },
  ],
};

beforeAll(async () => {
  db = openDatabase(database.url);
  await db.inTransaction((tx) => defineTable(tx, everyDefinition));
  await db.query(
    sql`insert into airlock.systemuser (systemuserid, fullname, role, businessunitid) values (${OTHER_USER}, 'Other', 'user', uuidv7())`,
  );
  metadata = await loadMetadata(db);
  const get = (name: string): Table => metadata.tables.get(name) ?? expect.fail(name);
  [account, contact, task, every] = [get('account'), get('contact'), get('task'), get('every')];
});
afterAll(() => db[Symbol.asyncDispose]());

const create = (table: Table, raw: Readonly<Record<string, unknown>>, options = {}) =>
  createRecord(db, table, { attributes: coerceAttributes(metadata, table, raw, 'create') }, SYSTEM_USER_ID, options);
const update = (table: Table, id: string, raw: Readonly<Record<string, unknown>>, rowVersion?: number) =>
  updateRecord(
    db,
    table,
    { id, attributes: coerceAttributes(metadata, table, raw, 'update'), ...(rowVersion === undefined ? {} : { rowVersion }) },
    OTHER_USER,
  );
const attributesOf = async (table: Table, id: string): Promise<Attributes> =>
  (await retrieveRecord(db, table, id, undefined))?.attributes ?? expect.fail('no row');

describe('create', () => {
  test('fills in what the platform sets and answers id, version and the columns that were asked for', async () => {
    const written = await create(account, { name: 'Contoso' }, { returning: ['name', 'createdon'] });
    const row = await attributesOf(account, written.id);
    const user = { logicalName: 'systemuser', id: SYSTEM_USER_ID };
    expect(row).toMatchObject({
      accountid: written.id,
      name: 'Contoso',
      statecode: 0,
      statuscode: 1,
      createdby: user,
      modifiedby: user,
      ownerid: user,
      fax: null,
      versionnumber: written.versionNumber,
    });
    expect(Object.keys(written.entity?.attributes ?? {}).toSorted()).toEqual(['accountid', 'createdon', 'name', 'versionnumber']);
    expect(row['createdon']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const all = await create(account, { name: 'All' }, { returning: 'all' });
    expect(all.entity).toEqual(await retrieveRecord(db, account, all.id, undefined));
  });

  test('keeps an id that the caller chose, once', async () => {
    const id = randomUUID();
    expect((await create(account, { accountid: id, name: 'a' })).id).toBe(id);
    expect(await codeOf(create(account, { accountid: id, name: 'a' }))).toBe('DUPLICATE_RECORD');
    expect(await codeOf(createRecord(db, account, { id: randomUUID(), attributes: { accountid: id } }, SYSTEM_USER_ID))).toBe('INVALID_VALUE');
  });

  test('holds an alternate key to one row, without regard to case', async () => {
    await create(account, { name: 'a', accountnumber: 'Key-Ä1' });
    expect(await codeOf(create(account, { name: 'b', accountnumber: 'KEY-ä1' }))).toBe('DUPLICATE_KEY');
    const found = await resolveAlternateKey(db, metadata, account, { accountnumber: 'kEY-Ä1' });
    expect(found).toBeDefined();
    expect(await resolveAlternateKey(db, metadata, account, { accountnumber: "' or ''='" })).toBeUndefined();
    expect(await resolveAlternateKey(db, metadata, account, { accountnumber: null })).toBeUndefined();
    expect(await codeOf(resolveAlternateKey(db, metadata, account, { name: 'a' }))).toBe('INVALID_ARGUMENT');
  });

  test.for([
    ['a lookup with one target', 'account', { name: 'x', primarycontactid: { logicalName: 'contact', id: randomUUID() } }],
    ['a polymorphic lookup', 'task', { subject: 'x', regardingobjectid: { logicalName: 'contact', id: randomUUID() } }],
    ['the owner', 'account', { name: 'x', ownerid: { logicalName: 'systemuser', id: randomUUID() } }],
  ] as const)('refuses %s that points to no row, and leaves none behind', async ([, name, raw]) => {
    const table = name === 'account' ? account : task;
    const count = () => db.query(sql`select count(*) as n from ${sql.identifier('data')}.${sql.identifier(name)}`);
    const before = await count();
    expect(await codeOf(create(table, raw))).toBe('LOOKUP_TARGET_MISSING');
    expect(await count()).toEqual(before);
  });
});

describe('update', () => {
  test('changes what it names, raises the version and says who did it', async () => {
    const { id, versionNumber } = await create(account, { name: 'before', fax: '1' });
    const after = await update(account, id, { name: 'after', creditonhold: true });
    expect(after.versionNumber).toBeGreaterThan(versionNumber);
    expect(await attributesOf(account, id)).toMatchObject({
      name: 'after',
      fax: '1',
      creditonhold: true,
      modifiedby: { id: OTHER_USER },
      createdby: { id: SYSTEM_USER_ID },
      versionnumber: after.versionNumber,
    });
  });

  test('of one version only changes that version', async () => {
    const { id, versionNumber } = await create(account, { name: 'a' });
    await update(account, id, { name: 'b' }, versionNumber);
    expect(await codeOf(update(account, id, { name: 'c' }, versionNumber))).toBe('VERSION_MISMATCH');
    expect((await attributesOf(account, id))['name']).toBe('b');
    expect(await codeOf(update(account, randomUUID(), { name: 'c' }, versionNumber))).toBe('RECORD_NOT_FOUND');
    expect(await codeOf(update(account, id, { accountid: randomUUID() }))).toBe('INVALID_VALUE');
  });

  test('tells a missing target from a missing row', async () => {
    const { id } = await create(task, { subject: 'a' });
    expect(await codeOf(update(task, id, { regardingobjectid: { logicalName: 'account', id: randomUUID() } }))).toBe('LOOKUP_TARGET_MISSING');
    expect(await codeOf(update(task, randomUUID(), { regardingobjectid: { logicalName: 'account', id: randomUUID() } }))).toBe('RECORD_NOT_FOUND');
  });
});

describe('delete', () => {
  test('removes the row, of the version that was asked for', async () => {
    const { id, versionNumber } = await create(account, { name: 'a' });
    expect(await codeOf(deleteRecord(db, account, { id, rowVersion: versionNumber + 1 }))).toBe('VERSION_MISMATCH');
    await deleteRecord(db, account, { id, rowVersion: versionNumber });
    expect(await retrieveRecord(db, account, id, undefined)).toBeUndefined();
    expect(await codeOf(deleteRecord(db, account, { id }))).toBe('RECORD_NOT_FOUND');
  });

  test('empties the lookups that point to the row and gives those rows a new version', async () => {
    const parent = await create(account, { name: 'parent' });
    const self = { logicalName: 'account', id: parent.id };
    await update(account, parent.id, { parentaccountid: self });
    const child = await create(account, { name: 'child', parentaccountid: self });
    const regarding = await create(task, { subject: 'x', regardingobjectid: self });
    const person = await create(contact, { lastname: 'x' });
    const sameId = await create(task, { subject: 'y', regardingobjectid: { logicalName: 'contact', id: person.id } });
    await deleteRecord(db, account, { id: parent.id });
    expect((await attributesOf(account, child.id))['parentaccountid']).toBeNull();
    const emptied = await attributesOf(task, regarding.id);
    expect(emptied['regardingobjectid']).toBeNull();
    expect(emptied['versionnumber']).toBeGreaterThan(regarding.versionNumber);
    expect((await attributesOf(task, sameId.id))['regardingobjectid']).toEqual({ logicalName: 'contact', id: person.id });
  });
});

test('a write that waits for a row beyond the lock limit is a conflict that may be tried again', async () => {
  const { id } = await create(account, { name: 'locked' });
  await using impatient = openDatabase(database.url);
  await db.inTransaction(async (tx) => {
    await retrieveRecord(tx, account, id, ['name'], { forUpdate: true });
    const blocked = impatient.inTransaction(async (other) => {
      await other.query(sql`set local lock_timeout = '50ms'`);
      await updateRecord(other, account, { id, attributes: { name: 'no' } }, SYSTEM_USER_ID);
    });
    expect(await codeOf(blocked)).toBe('TRANSACTION_CONFLICT');
  });
});

test('a value of every type comes back as it was written', async () => {
  const text = fc
    .string({ unit: 'binary', maxLength: 50 })
    .filter((value) => value.isWellFormed() && !value.includes('\u0000') && value.length <= 100);
  const decimal = (scale: number) => fc.integer({ min: -99_999_999_999, max: 99_999_999_999 }).map((units) => Number(`${units}e-${scale}`));
  const uuid = fc.uuid();
  const values: Readonly<Record<string, fc.Arbitrary<AttributeValue>>> = {
    string1: text,
    memo1: text,
    integer1: fc.integer({ min: -2_147_483_648, max: 2_147_483_647 }),
    bigint1: fc.maxSafeInteger(),
    decimal1: decimal(10),
    float1: fc.double({ noNaN: true, noDefaultInfinity: true }),
    money1: decimal(2),
    boolean1: fc.boolean(),
    datetime1: fc
      .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    date1: fc
      .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
    uuid1: uuid,
    choice1: fc.constantFrom(1, -2),
    multichoice1: fc.constantFrom([1], [-2], [-2, 1]),
    user1: fc.constantFrom(SYSTEM_USER_ID, OTHER_USER).map((id) => ({ logicalName: 'systemuser', id })),
    any1: fc.constantFrom(SYSTEM_USER_ID, OTHER_USER).map((id) => ({ logicalName: 'systemuser', id })),
  };
  const optional = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fc.option(value)]));
  await fc.assert(
    fc.asyncProperty(fc.record(optional), fc.record(optional, { requiredKeys: [] }), async (raw, change) => {
      const expected = coerceAttributes(metadata, every, raw, 'create');
      const { id } = await createRecord(db, every, { attributes: expected }, SYSTEM_USER_ID);
      expect(await attributesOf(every, id)).toMatchObject({ ...expected });
      const changed = coerceAttributes(metadata, every, change, 'update');
      await updateRecord(db, every, { id, attributes: changed }, SYSTEM_USER_ID);
      expect(await attributesOf(every, id)).toMatchObject({ ...expected, ...changed });
    }),
    { numRuns: 40 },
  );
});
