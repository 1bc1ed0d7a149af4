import fc from 'fast-check';
import { expect, expectTypeOf, test } from 'vitest';
import { type AttributeValue, changedColumns, type EntityReference, isEntityReference } from './entity.ts';

const row = (attributes: Record<string, AttributeValue>) => ({ attributes });
const reference = { logicalName: 'contact', id: '0195d3a0-0000-7000-8000-000000000001' };

const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.integer()),
  fc.record({ logicalName: fc.string(), id: fc.uuid() }),
);
const attributes = fc.dictionary(fc.string(), value);

test('only what has a table and an id is a reference', () => {
  const column = reference as AttributeValue;
  if (isEntityReference(column)) expectTypeOf(column).toExtend<EntityReference>();
  expect(isEntityReference(column)).toBe(true);
  expect([null, undefined, 'account', 3, [1, 2], { id: 'x' }, { logicalName: 'x' }, { logicalName: 'x', id: 1 }].some(isEntityReference)).toBe(false);
});

test('a column changed when its value did', () => {
  expect(changedColumns(row({ name: 'A', revenue: 1 }), row({ name: 'B', revenue: 1 }))).toEqual([{ column: 'name', from: 'A', to: 'B' }]);
});

test('a value that was not there changed from nothing', () => {
  expect(changedColumns(row({}), row({ creditlimit: 5 }))).toEqual([{ column: 'creditlimit', from: undefined, to: 5 }]);
  expect(changedColumns(undefined, row({ creditlimit: 5 }))).toHaveLength(1);
});

test('null and no value are the same', () => {
  expect(changedColumns(row({}), row({ creditlimit: null }))).toEqual([]);
});

test('a reference is the same whatever name it carries', () => {
  expect(changedColumns(row({ c: reference }), row({ c: { ...reference, name: 'Ada' } }))).toEqual([]);
  expect(changedColumns(row({ c: reference }), row({ c: { ...reference, logicalName: 'account' } }))).toHaveLength(1);
});

test('a multi-choice is the same in any order', () => {
  expect(changedColumns(row({ c: [1, 2] }), row({ c: [2, 1] }))).toEqual([]);
  expect(changedColumns(row({ c: [1, 2] }), row({ c: [1, 3] }))).toHaveLength(1);
});

test('a row never differs from itself', () => {
  fc.assert(fc.property(attributes, (all) => changedColumns(row(all), row(structuredCloned(all))).length === 0));
});

test('every column that is reported was sent', () => {
  fc.assert(
    fc.property(attributes, attributes, (before, after) =>
      changedColumns(row(before), row(after)).every(({ column }) => Object.hasOwn(after, column)),
    ),
  );
});

function structuredCloned(all: Record<string, AttributeValue>): Record<string, AttributeValue> {
  return JSON.parse(JSON.stringify(all)) as Record<string, AttributeValue>;
}
