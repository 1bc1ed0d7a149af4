import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Column, Metadata, Table } from '../metadata/table.ts';
import { checkRequired, coerceAttributes } from './coerce-attributes.ts';
import { parseDate, parseDateTime } from './date-time.ts';
import { decimalShape } from './exact-number.ts';

const ID = '0193a000-0000-7000-8000-00000000abcd';
const columns: readonly Partial<Column>[] = [
  { logicalName: 'thingid', type: 'uuid' },
  { logicalName: 'name', type: 'string', maxLength: 5, required: true },
  { logicalName: 'integer', type: 'integer', minimum: 0, maximum: 10 },
  { logicalName: 'wide', type: 'integer' },
  { logicalName: 'bigint', type: 'bigint' },
  { logicalName: 'money', type: 'money', scale: 2 },
  { logicalName: 'float', type: 'float' },
  { logicalName: 'flag', type: 'boolean' },
  { logicalName: 'moment', type: 'datetime' },
  { logicalName: 'day', type: 'date' },
  { logicalName: 'choice', type: 'choice', choices: [{ value: 1, label: 'One' }] },
  { logicalName: 'many', type: 'multichoice', choices: [1, 2, 3].map((value) => ({ value, label: String(value) })) },
  { logicalName: 'toone', type: 'lookup', targets: ['thing'] },
  { logicalName: 'toany', type: 'lookup', targets: ['thing', 'systemuser'] },
  { logicalName: 'tolater', type: 'lookup', targets: ['later'] },
  { logicalName: 'statecode', type: 'choice', choices: [{ value: 0, label: 'Active' }] },
  { logicalName: 'versionnumber', type: 'bigint', readOnly: true },
];
const table = {
  logicalName: 'thing',
  entitySetName: 'things',
  primaryIdAttribute: 'thingid',
  columns: new Map(columns.map((column) => [column.logicalName, { displayName: 'x', required: false, readOnly: false, ...column }])),
} as unknown as Table;
const metadata = {
  version: 1,
  tables: new Map([
    ['thing', table],
    ['systemuser', table],
  ]),
} as unknown as Metadata;

const coerce = (raw: Readonly<Record<string, unknown>>, operation: 'create' | 'update' = 'create') =>
  coerceAttributes(metadata, table, raw, operation);
const refusal = (raw: Readonly<Record<string, unknown>>, operation: 'create' | 'update' = 'create'): string => {
  try {
    coerce(raw, operation);
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a value is brought into its canonical form', () => {
  test.for([
    ['name', '', null],
    ['money', -0, 0],
    ['money', 1234567890123.45, 1234567890123.45],
    ['bigint', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ['moment', '2026-01-31T12:00:00+02:00', '2026-01-31T10:00:00.000Z'],
    ['moment', '2026-01-31T12:00Z', '2026-01-31T12:00:00.000Z'],
    ['moment', '2026-01-31T12:00:00.1234567Z', '2026-01-31T12:00:00.123Z'],
    ['day', '2024-02-29', '2024-02-29'],
    ['many', [3, 1, 3], [1, 3]],
    ['many', '3, 1', [1, 3]],
    ['many', [], null],
    ['toone', { logicalName: 'thing', id: ID.toUpperCase(), name: 'dropped' }, { logicalName: 'thing', id: ID }],
    ['toone', ID, { logicalName: 'thing', id: ID }],
    ['thingid', ID.toUpperCase(), ID],
  ] as const)('%s: %j', ([name, value, expected]) => {
    expect(coerce({ [name]: value })[name]).toEqual(expected);
  });
});

describe('a value that the column cannot keep as it is, is refused', () => {
  test.for([
    ['INVALID_VALUE', { name: 1 }],
    ['INVALID_VALUE', { name: 'a\u0000b' }],
    ['INVALID_VALUE', { name: 'a\ud800' }],
    ['VALUE_TOO_LONG', { name: 'sixsix' }],
    ['VALUE_OUT_OF_RANGE', { integer: 11 }],
    ['VALUE_OUT_OF_RANGE', { wide: 2_147_483_648 }],
    ['VALUE_OUT_OF_RANGE', { bigint: 2 ** 53 }],
    ['VALUE_OUT_OF_RANGE', { money: 1e15 }],
    ['INVALID_VALUE', { integer: 1.5 }],
    ['INVALID_VALUE', { integer: '1' }],
    ['INVALID_VALUE', { money: 0.001 }],
    ['INVALID_VALUE', { money: 0.1 + 0.2 }],
    ['INVALID_VALUE', { float: Number.POSITIVE_INFINITY }],
    ['INVALID_VALUE', { float: Number.NaN }],
    ['INVALID_VALUE', { flag: 'true' }],
    ['INVALID_VALUE', { moment: '2026-01-31T12:00:00' }],
    ['INVALID_VALUE', { moment: '2026-02-30T12:00:00Z' }],
    ['INVALID_VALUE', { moment: '9999-12-31T23:59:59-01:00' }],
    ['INVALID_VALUE', { moment: '2026-01-31T24:00:00Z' }],
    ['INVALID_VALUE', { day: '2026-02-29' }],
    ['INVALID_VALUE', { day: '0000-01-01' }],
    ['INVALID_VALUE', { day: '2026-01-31T00:00:00Z' }],
    ['CHOICE_UNKNOWN', { choice: 2 }],
    ['CHOICE_UNKNOWN', { many: [1, 4] }],
    ['INVALID_VALUE', { many: '1,x' }],
    ['INVALID_VALUE', { thingid: 'no uuid' }],
    ['INVALID_VALUE', { toone: { logicalName: 'systemuser', id: ID } }],
    ['INVALID_VALUE', { toone: { logicalName: 'thing', id: "'; drop table" } }],
    ['INVALID_VALUE', { toany: ID }],
    ['INVALID_VALUE', { tolater: ID }],
    ['INVALID_VALUE', { statecode: null }],
    ['READ_ONLY_COLUMN', { versionnumber: 1 }],
    ['UNKNOWN_PAYLOAD_COLUMN', { Name: 'x' }],
    ['UNKNOWN_PAYLOAD_COLUMN', { constructor: 'x' }],
    ['UNKNOWN_PAYLOAD_COLUMN', JSON.parse('{"__proto__": {"name": "x"}}') as Record<string, unknown>],
    ['UNKNOWN_PAYLOAD_COLUMN', { 'name"; drop table data.account; --': 'x' }],
  ] as const)('%s: %j', ([code, raw]) => {
    expect(refusal(raw)).toBe(code);
  });

  test('an empty id is left to the platform on create and refused on update', () => {
    expect(coerce({ thingid: null })).toEqual({});
    expect(refusal({ thingid: null }, 'update')).toBe('INVALID_VALUE');
  });
});

test('whatever a payload holds, it is refused with a registered code or comes out with known columns only, and is stable', () => {
  const key = fc.oneof(fc.constantFrom(...table.columns.keys()), fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString'));
  fc.assert(
    fc.property(fc.dictionary(key, fc.jsonValue(), { noNullPrototype: false }), (raw) => {
      const code = refusal(raw);
      expect(code).toMatch(/^(none|[A-Z_]+)$/);
      if (code !== 'none') return;
      const attributes = coerce(raw);
      expect(Object.keys(attributes).every((name) => table.columns.has(name))).toBe(true);
      expect(coerce(attributes)).toEqual(attributes);
    }),
    { numRuns: 500 },
  );
});

test('every moment survives its own text with any offset', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('0002-01-01'), max: new Date('9998-12-31'), noInvalidDate: true }),
      fc.integer({ min: -14 * 60, max: 14 * 60 }),
      (date, offsetMinutes) => {
        const local = new Date(date.getTime() + offsetMinutes * 60_000).toISOString().slice(0, -1);
        const absolute = Math.abs(offsetMinutes);
        const offset = `${offsetMinutes < 0 ? '-' : '+'}${String(Math.trunc(absolute / 60)).padStart(2, '0')}:${String(absolute % 60).padStart(2, '0')}`;
        expect(parseDateTime(`${local}${offset}`)).toBe(date.toISOString());
        expect(parseDate(date.toISOString().slice(0, 10))).toBe(date.toISOString().slice(0, 10));
      },
    ),
  );
});

test('the shape of a decimal is that of its shortest text', () => {
  fc.assert(
    fc.property(fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }), fc.integer({ min: 0, max: 10 }), (units, scale) => {
      const shape = decimalShape(Number(`${units}e-${scale}`));
      expect(shape.significantDigits).toBeLessThanOrEqual(15);
      expect(shape.scale).toBeLessThanOrEqual(scale);
    }),
  );
});

test('a required column needs a value on create, and keeps it on update', () => {
  expect(() => checkRequired(table, {}, 'create')).toThrow("'name'");
  expect(() => checkRequired(table, { name: null }, 'create')).toThrow("'name'");
  expect(() => checkRequired(table, { name: 'x' }, 'create')).not.toThrow();
  expect(() => checkRequired(table, {}, 'update')).not.toThrow();
  expect(() => checkRequired(table, { name: null }, 'update')).toThrow("'name'");
});
