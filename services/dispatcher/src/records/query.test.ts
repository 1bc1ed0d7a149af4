import { randomUUID } from 'node:crypto';
import type { Entity, JsonValue } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
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
import { compareValues, evaluateFilter, sortValue } from './evaluate-filter.ts';
import { codeOf, migrated, openDatabase } from './fixture.ts';
import { queryRecords } from './query.ts';
import { type Filter, parseRecordQuery, type RecordQuery } from './record-query.ts';
import { createRecord } from './write.ts';

const database = useDatabase({ template: migrated });
const ROWS = 40;
let db: PlatformDatabase;
let metadata: Metadata;
let table: Table;
let all: readonly Entity[];

const choices = [0, 1, 2, 3].map((value) => ({ value, label: String(value) }));
const columnTypes = {
  name: 'string',
  other: 'string',
  note: 'memo',
  amount: 'money',
  share: 'float',
  size: 'integer',
  huge: 'bigint',
  flag: 'boolean',
  at: 'datetime',
  day: 'date',
  code: 'uuid',
  kind: 'choice',
  kinds: 'multichoice',
  parentid: 'lookup',
  ownerlike: 'lookup',
} as const;
type Name = keyof typeof columnTypes;
const limits: Partial<Record<Name, object>> = {
  kind: { choices },
  kinds: { choices },
  parentid: { targets: ['item'] },
  ownerlike: { targets: ['item', 'systemuser'] },
};

// Few different values, so that equality and order are met often; hostile ones among them.
const ids = Array.from({ length: 4 }, () => randomUUID());
const reference = (id: string) => ({ logicalName: 'systemuser', id });
const texts = ['a', 'A', 'b', 'Äb', 'äB', 'a%', 'a_', 'a\\', '%', "'; drop table data.item; --", '"', '{}', 'null', 'ab', '𝄞', ' a'];
const pool = {
  name: texts,
  other: texts,
  note: texts,
  amount: [0, -1.5, 1.25, 100.5, 999_999_999_999.99],
  share: [0, -1e300, 5e-324, 0.1, 2.5],
  size: [-2_147_483_648, -1, 0, 1, 2_147_483_647],
  huge: [-(2 ** 53 - 1), 0, 1, 2 ** 53 - 1],
  flag: [true, false],
  at: ['0001-01-01T00:00:00.000Z', '2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00.001Z', '9999-12-31T23:59:59.999Z'],
  day: ['0001-01-01', '2024-02-29', '9999-12-31'],
  code: ids,
  kind: [0, 1, 2, 3],
  kinds: [[0], [0, 1], [1, 3], [0, 1, 2, 3]],
  parentid: [] as JsonValue[],
  ownerlike: [reference(SYSTEM_USER_ID)],
} satisfies Record<Name, readonly JsonValue[]>;
const names = Object.keys(columnTypes) as Name[];

beforeAll(async () => {
  db = openDatabase(database.url);
  const columns = names.map((logicalName) => ({ logicalName, displayName: logicalName, type: columnTypes[logicalName], ...limits[logicalName] }));
  await db.inTransaction((tx) =>
    defineTable(tx, {
      logicalName: 'item',
      displayName: 'Item',
      displayCollectionName: 'Items',
      entitySetName: 'items',
      primaryNameAttribute: 'name',
      columns,
    }),
  );
  metadata = await loadMetadata(db);
  table = metadata.tables.get('item') ?? expect.fail('no table');
  const row = fc.record(
    Object.fromEntries(
      names.filter((name) => name !== 'parentid').map((name) => [name, fc.option(fc.constantFrom<JsonValue>(...pool[name]), { freq: 4 })]),
    ),
  );
  const made: string[] = [];
  for (const raw of fc.sample(row, { numRuns: ROWS, seed: 42 })) {
    const parentid = made.length > 3 ? { logicalName: 'item', id: made[made.length % 3] } : null;
    const attributes = coerceAttributes(metadata, table, { ...raw, parentid }, 'create');
    made.push((await createRecord(db, table, { attributes }, SYSTEM_USER_ID)).id);
  }
  pool.parentid = made.slice(0, 4).map((id) => ({ logicalName: 'item', id }));
  all = (await queryRecords(db, metadata, table, {})).entities;
});
afterAll(() => db[Symbol.asyncDispose]());

const ask = (query: RecordQuery) => queryRecords(db, metadata, table, query);
const idsOf = (entities: readonly Entity[]) => entities.map((entity) => entity.id ?? '').toSorted((a, b) => a.localeCompare(b));
const ORDERED = names.filter((name) => !['flag', 'code', 'kinds', 'parentid', 'ownerlike'].includes(name));
const TEXTS = ['name', 'other', 'note'] as const;

const valueOf = (name: Name): fc.Arbitrary<JsonValue> => fc.nat({ max: 15 }).map((n) => pool[name][n % pool[name].length] ?? null);
const equality = fc.constantFrom(...names).chain((column) =>
  fc.record({
    kind: fc.constant('compare' as const),
    column: fc.constant(column),
    operator: fc.constantFrom('eq' as const, 'ne' as const),
    value: fc.option(valueOf(column), { freq: 5 }),
  }),
);
const order = fc.constantFrom(...ORDERED).chain((column) =>
  fc.record({
    kind: fc.constant('compare' as const),
    column: fc.constant(column),
    operator: fc.constantFrom('gt' as const, 'ge' as const, 'lt' as const, 'le' as const),
    value: valueOf(column),
  }),
);
const among = fc.constantFrom(...names).chain((column) =>
  fc.record({
    kind: fc.constant('in' as const),
    column: fc.constant(column),
    values: fc.array(fc.option(valueOf(column), { freq: 5 }), { maxLength: 4 }),
  }),
);
const search = fc.record({
  kind: fc.constantFrom('contains' as const, 'starts-with' as const, 'ends-with' as const),
  column: fc.constantFrom(...TEXTS),
  value: fc.oneof(fc.constantFrom(...texts), fc.constantFrom('', 'B', '_', '\\')),
});
const columnPairs = fc.record({
  kind: fc.constant('compare-columns' as const),
  operator: fc.constantFrom('eq' as const, 'ne' as const, 'gt' as const, 'ge' as const, 'lt' as const, 'le' as const),
  column: fc.constantFrom('name', 'other'),
  other: fc.constantFrom('other', 'note'),
});
const leaf: fc.Arbitrary<Filter> = fc.oneof(
  equality,
  order,
  among,
  search,
  columnPairs,
  fc.record({ kind: fc.constant('null' as const), column: fc.constantFrom(...names) }),
  fc.record({
    kind: fc.constant('contain-values' as const),
    column: fc.constant('kinds'),
    values: fc.array(fc.constantFrom(0, 1, 2, 3), { minLength: 1, maxLength: 3 }),
  }),
);
const { filter: anyFilter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), filters: fc.array(tie('filter'), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('not' as const), filter: tie('filter') }),
  ),
}));

describe('a filter', () => {
  test('finds the rows that its meaning says, whatever it is made of', async () => {
    await fc.assert(
      fc.asyncProperty(anyFilter, async (filter) => {
        const page = await ask({ filter, columns: [], count: true });
        const expected = all.filter((entity) => evaluateFilter(filter, entity.attributes));
        expect(idsOf(page.entities)).toEqual(idsOf(expected));
        expect(page.totalRecordCount).toBe(expected.length);
      }),
      { numRuns: 250 },
    );
  });

  test('survives being handed through JSON', () => {
    fc.assert(
      fc.property(anyFilter, (filter) => {
        expect(parseRecordQuery(JSON.parse(JSON.stringify({ filter })))).toEqual(JSON.parse(JSON.stringify({ filter })));
      }),
    );
  });

  test('with text that means something to SQL harms nothing and finds what it says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...TEXTS), fc.string({ unit: 'binary', maxLength: 20 }), async (column, value) => {
        const hostile = value.includes('\u0000') || !value.isWellFormed();
        const code = await codeOf(
          ask({
            filter: {
              kind: 'or',
              filters: [
                { kind: 'contains', column, value },
                { kind: 'compare', column, operator: 'eq', value },
              ],
            },
          }),
        );
        expect(code).toBe(hostile ? 'INVALID_VALUE' : 'none');
      }),
      { numRuns: 60 },
    );
    expect((await ask({})).entities).toHaveLength(ROWS);
  });

  test.for<readonly [string, Filter]>([
    ['UNKNOWN_COLUMN', { kind: 'null', column: 'no"pe' }],
    ['UNKNOWN_COLUMN', { kind: 'null', column: '__proto__' }],
    ['INVALID_VALUE', { kind: 'compare', column: 'size', operator: 'eq', value: '1 or 1=1' }],
    ['VALUE_OUT_OF_RANGE', { kind: 'compare', column: 'size', operator: 'eq', value: 2 ** 31 }],
    ['INVALID_VALUE', { kind: 'compare', column: 'parentid', operator: 'eq', value: 'x' }],
    ['INVALID_VALUE', { kind: 'compare', column: 'name', operator: 'eq', value: { a: 1 } }],
    ['INVALID_ARGUMENT', { kind: 'compare', column: 'flag', operator: 'gt', value: true }],
    ['INVALID_ARGUMENT', { kind: 'contains', column: 'size', value: '1' }],
    ['INVALID_ARGUMENT', { kind: 'compare-columns', column: 'size', operator: 'eq', other: 'name' }],
    ['INVALID_ARGUMENT', { kind: 'contain-values', column: 'kind', values: [1] }],
    ['INVALID_ARGUMENT', { kind: 'in', column: 'size', values: Array.from({ length: 2_001 }, () => 1) }],
    ['INVALID_ARGUMENT', Array.from({ length: 30 }).reduce<Filter>((inner) => ({ kind: 'not', filter: inner }), { kind: 'null', column: 'name' })],
  ])('is refused with %s: %j', async ([code, filter]) => {
    expect(await codeOf(ask({ filter }))).toBe(code);
  });

  test('takes the bare id of a lookup for a row of any of its tables', async () => {
    const { entities } = await ask({ filter: { kind: 'compare', column: 'ownerlike', operator: 'eq', value: SYSTEM_USER_ID.toUpperCase() } });
    expect(idsOf(entities)).toEqual(idsOf(all.filter((entity) => entity.attributes['ownerlike'] !== null)));
  });
});

describe('a page', () => {
  const orderBy = fc.uniqueArray(
    fc.record({ column: fc.constantFrom(...names.filter((name) => name !== 'note' && name !== 'kinds')), descending: fc.boolean() }),
    { maxLength: 3, selector: ({ column }) => column },
  );

  test('goes on exactly where the one before ended, in the order that was asked for', async () => {
    await fc.assert(
      fc.asyncProperty(orderBy, fc.integer({ min: 5, max: 30 }), async (order, top) => {
        const seen: Entity[] = [];
        let skipToken: string | undefined;
        for (let pages = 0; pages <= ROWS / top + 1; pages += 1) {
          const page = await ask({ orderBy: order, top, columns: ['name'], ...(skipToken === undefined ? {} : { skipToken }) });
          seen.push(...page.entities);
          skipToken = page.skipToken;
          expect(page.moreRecords).toBe(skipToken !== undefined);
          if (skipToken === undefined) break;
        }
        const expected = all.toSorted((left, right) => {
          for (const { column, descending } of order) {
            const found = compareValues(sortValue(left.attributes[column]), sortValue(right.attributes[column]));
            if (found !== 0) return descending ? -found : found;
          }
          return compareValues(left.id ?? null, right.id ?? null);
        });
        expect(seen.map((entity) => entity.id)).toEqual(expected.map((entity) => entity.id));
      }),
      { numRuns: 40 },
    );
  });

  test('holds the columns that were asked for, the id and the version', async () => {
    const { entities, totalRecordCount } = await ask({ columns: ['name'], orderBy: [{ column: 'size' }], top: 1 });
    expect(Object.keys(entities[0]?.attributes ?? {}).toSorted()).toEqual(['itemid', 'name', 'versionnumber']);
    expect(totalRecordCount).toBe(-1);
  });

  test.for([
    ['another order', { orderBy: [{ column: 'size' }] }],
    ['nothing that was ever a token', { skipToken: 'x' }],
    ['values of another type', { skipToken: Buffer.from(JSON.stringify({ order: 'itemid', after: [1] })).toString('base64url') }],
  ] as const)('is refused for a token with %s', async ([, query]) => {
    const { skipToken = '' } = await ask({ top: 1 });
    expect(await codeOf(ask({ skipToken, ...query }))).toMatch(/^INVALID_/);
  });

  test('is refused when it is larger than allowed, has no order or unknown columns', async () => {
    expect(await codeOf(ask({ top: 5_001 }))).toBe('PAGE_TOO_LARGE');
    expect(await codeOf(ask({ orderBy: [{ column: 'note' }] }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(ask({ orderBy: [{ column: 'name" desc; --' }] }))).toBe('UNKNOWN_COLUMN');
    expect(await codeOf(ask({ columns: ['*'] }))).toBe('UNKNOWN_COLUMN');
  });
});

test('the platform tables answer queries as any other table does, empty text as no value', async () => {
  const users = metadata.tables.get('systemuser') ?? expect.fail('no table');
  const page = await queryRecords(db, metadata, users, { filter: { kind: 'compare', column: 'fullname', operator: 'eq', value: 'system' } });
  expect(page.entities.map((entity) => entity.id)).toEqual([SYSTEM_USER_ID]);
  const types = metadata.tables.get('pluginassembly') ?? expect.fail('no table');
  await db.query(
    sql`insert into airlock.pluginassembly (name, version, digest, size, code, manifest, uploadedby) values ('b', '1.0.0', 'd', 1, '\\x00', '{}', ${SYSTEM_USER_ID})`,
  );
  const bundles = await queryRecords(db, metadata, types, { filter: { kind: 'null', column: 'description' }, orderBy: [{ column: 'version' }] });
  expect(bundles.entities[0]?.attributes).toMatchObject({ name: 'b', description: null });
  expect(Object.keys(bundles.entities[0]?.attributes ?? {})).not.toContain('code');
});

test('a query from a plug-in is taken apart and checked', () => {
  expect(parseRecordQuery({ top: 3, orderBy: [{ column: 'name' }] })).toEqual({ top: 3, orderBy: [{ column: 'name' }] });
  for (const hostile of [
    null,
    'x',
    { top: 0 },
    { top: 5_001 },
    { columns: [1] },
    { filter: { kind: 'sql', text: 'x' } },
    { filter: { kind: 'and' } },
    { unknown: 1 },
  ]) {
    expect(() => parseRecordQuery(hostile)).toThrow(PlatformError);
  }
});

test('equality, a prefix and the order of the primary name use its index', async () => {
  await db.query(sql`set enable_seqscan = off`);
  const plan = async (condition: string) => JSON.stringify(await db.query(sql.raw(`explain select itemid from data.item ${condition}`)));
  const own = 'lower("name" collate "pg_c_utf8")';
  expect(await plan(`where ${own} = lower('A'::text collate "pg_c_utf8")`)).toContain('ix_item.name');
  expect(await plan(`where ${own} like lower('Ab%'::text collate "pg_c_utf8")`)).toContain('Index Cond');
  expect(await plan(`order by ${own} asc nulls first limit 1`)).toContain('ix_item.name');
  await db.query(sql`reset enable_seqscan`);
});
