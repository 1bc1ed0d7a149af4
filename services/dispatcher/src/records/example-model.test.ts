import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { loadMetadata } from '../metadata/load-metadata.ts';
import type { Metadata, Table } from '../metadata/table.ts';
import type { PlatformDatabase } from '../store/platform-database.ts';
import { SYSTEM_USER_ID } from '../store/well-known.ts';
import { checkRequired, coerceAttributes } from './coerce-attributes.ts';
import { exampleRecords, openDatabase, withModel } from './fixture.ts';
import { queryRecords } from './query.ts';
import { createRecord } from './write.ts';

const database = useDatabase({ template: withModel });
let db: PlatformDatabase;
let metadata: Metadata;
beforeAll(async () => {
  db = openDatabase(database.url);
  metadata = await loadMetadata(db);
});
afterAll(() => db[Symbol.asyncDispose]());

/** Just enough of the Web API's payloads for the checked-in file. */
function attributesOf(table: Table, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const [property = '', isBind] = name.split('@odata.bind');
      if (isBind === undefined) return [name, value];
      const [, set = '', id = ''] = /^\/(\w+)\(([0-9a-f-]+)\)$/.exec(String(value)) ?? [];
      const logicalName = metadata.bySetName.get(set)?.logicalName ?? '';
      return [table.columns.has(property) ? property : property.slice(0, -logicalName.length - 1), { logicalName, id }];
    }),
  );
}

test('every example record fits its table and finds the rows that it points to', async () => {
  for (const { set, id, values } of exampleRecords) {
    const table = metadata.bySetName.get(set) ?? expect.fail(`no set ${set}`);
    const attributes = coerceAttributes(metadata, table, attributesOf(table, values), 'create');
    checkRequired(table, attributes, 'create');
    expect((await createRecord(db, table, { attributes }, SYSTEM_USER_ID)).id).toBe(id);
  }
  const accounts = metadata.tables.get('account') ?? expect.fail('no table');
  const page = await queryRecords(db, metadata, accounts, {
    columns: ['name'],
    filter: {
      kind: 'and',
      filters: [
        { kind: 'contains', column: 'address1_country', value: 'GERMANY' },
        { kind: 'compare', column: 'creditonhold', operator: 'eq', value: true },
      ],
    },
    count: true,
  });
  expect(page.entities.map((entity) => entity.attributes['name'])).toEqual(['Hansen Spedition KG']);
});
