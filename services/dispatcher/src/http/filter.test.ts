import { PlatformError } from '@airlock/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Filter } from '../records/record-query.ts';
import { parseFilter } from './filter.ts';
import { filterNamesOf } from './list-options.ts';
import { accountTable } from './record-fixtures.ts';

const read = (text: string): Filter => parseFilter(text, filterNamesOf(accountTable));
const compare = (column: string, operator: 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le', value: string | number | boolean | null): Filter => ({
  kind: 'compare',
  column,
  operator,
  value,
});
const a = compare('numberofemployees', 'eq', 1);
const b = compare('numberofemployees', 'eq', 2);
const c = compare('numberofemployees', 'eq', 3);
const GUID = '3f2504e0-4f89-11d3-9a0c-0305e82c3301';

describe('comparisons', () => {
  test.for([
    ["name eq 'O''Brien'", compare('name', 'eq', "O'Brien")],
    ["'x' eq name", compare('name', 'eq', 'x')],
    ['5 lt numberofemployees', compare('numberofemployees', 'gt', 5)],
    ['name eq null', compare('name', 'eq', null)],
    ['donotphone eq true', compare('donotphone', 'eq', true)],
    ['creditlimit ge -12.50', compare('creditlimit', 'ge', -12.5)],
    [`accountid eq ${GUID.toUpperCase()}`, compare('accountid', 'eq', GUID)],
    [`accountid eq '${GUID}'`, compare('accountid', 'eq', GUID)],
    [`_primarycontactid_value ne ${GUID}`, compare('primarycontactid', 'ne', GUID)],
    ['createdon gt 2026-01-31T12:00:00Z', compare('createdon', 'gt', '2026-01-31T12:00:00Z')],
    ['createdon ge 2026-01-31', compare('createdon', 'ge', '2026-01-31T00:00:00Z')],
    ['createdon le 2026-01-31T12:00:00+02:00', compare('createdon', 'le', '2026-01-31T12:00:00+02:00')],
    ['createdon le 2026-01-31T12:00', compare('createdon', 'le', '2026-01-31T12:00Z')],
    ['name eq accountnumber', { kind: 'compare-columns', column: 'name', operator: 'eq', other: 'accountnumber' }],
    ["contains(name, 'a b')", { kind: 'contains', column: 'name', value: 'a b' }],
    ["startswith(name,'a') eq false", { kind: 'not', filter: { kind: 'starts-with', column: 'name', value: 'a' } }],
    ["not endswith(name,'a')", { kind: 'not', filter: { kind: 'ends-with', column: 'name', value: 'a' } }],
    ["name in ('a','b')", { kind: 'in', column: 'name', values: ['a', 'b'] }],
    ["Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=['a','b'])", { kind: 'in', column: 'name', values: ['a', 'b'] }],
    [
      "Microsoft.Dynamics.CRM.ContainValues(PropertyName='interests',PropertyValues=['1','2'])",
      { kind: 'contain-values', column: 'interests', values: [1, 2] },
    ],
  ] as const)('%s', ([text, filter]) => {
    expect(read(text)).toEqual(filter);
  });
});

describe('precedence', () => {
  const [one, two, three] = ['numberofemployees eq 1', 'numberofemployees eq 2', 'numberofemployees eq 3'];
  test.for([
    [`${one} or ${two} and ${three}`, { kind: 'or', filters: [a, { kind: 'and', filters: [b, c] }] }],
    [`(${one} or ${two}) and ${three}`, { kind: 'and', filters: [{ kind: 'or', filters: [a, b] }, c] }],
    [`not ${one} and ${two}`, { kind: 'and', filters: [{ kind: 'not', filter: a }, b] }],
    [`not (${one} and ${two})`, { kind: 'not', filter: { kind: 'and', filters: [a, b] } }],
    [`((${one}))`, a],
  ] as const)('%s', ([text, filter]) => {
    expect(read(text)).toEqual(filter);
  });
});

test.for([
  'name',
  'name eq',
  "name eq 'x",
  "name eq 'x' and",
  "(name eq 'x'",
  "name eq 'x')",
  'name like 1',
  'name eq 1 2',
  '1 eq 1',
  'toupper(name) eq 1',
  'contains(name,5)',
  'creditlimit eq 12345678901234567890.5',
  'name eq 12abc',
  `accountid eq ${GUID}0`,
  "primarycontactid/lastname eq 'x'",
  "name in 'x'",
  'name\u0000eq 1',
  '-',
])('refuses %s and says where', (text) => {
  expect(() => read(text)).toThrow(/^The filter has a syntax error at character \d+: /);
});

test('nesting is bounded, however it is made', () => {
  for (const nested of ['('.repeat(8_000), 'not '.repeat(2_000), `${'('.repeat(25)}name eq null${')'.repeat(25)}`]) {
    expect(() => read(nested)).toThrow(/nested deeper than 24 levels/);
  }
});

/** Text of a filter as a client would write it, with every group in brackets. */
function print(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.filters.map((inner) => `(${print(inner)})`).join(` ${filter.kind} `);
    case 'not':
      return `not (${print(filter.filter)})`;
    case 'compare':
      return `${filter.column} ${filter.operator} ${literal(filter.value)}`;
    case 'in':
      return `${filter.column} in (${filter.values.map(literal).join(',')})`;
    case 'contains':
      return `contains(${filter.column},${literal(filter.value)})`;
    default:
      throw new Error(`not generated: ${filter.kind}`);
  }
}
const literal = (value: unknown): string => (typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value));

const value = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.constant(null));
const leaf: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ kind: fc.constant('compare' as const), column: fc.constant('name'), operator: fc.constantFrom('eq', 'ne', 'lt', 'ge'), value }),
  fc.record({ kind: fc.constant('in' as const), column: fc.constant('name'), values: fc.array(value, { maxLength: 4 }) }),
  fc.record({ kind: fc.constant('contains' as const), column: fc.constant('name'), value: fc.string() }),
);
const { tree } = fc.letrec<{ tree: Filter }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), filters: fc.array(tie('tree'), { minLength: 2, maxLength: 4 }) }),
    fc.record({ kind: fc.constant('not' as const), filter: tie('tree') }),
  ),
}));

test('what is printed is read back as it was, quotes and all', () => {
  fc.assert(
    fc.property(tree, (filter) => {
      expect(read(print(filter))).toEqual(filter);
    }),
  );
});

test('any text is a filter or a refusal', () => {
  const fragment = fc.constantFrom(
    'name',
    ' eq ',
    ' and ',
    ' not ',
    '(',
    ')',
    "'",
    ',',
    'contains(',
    '1',
    GUID,
    '2026-01-01',
    'Microsoft.Dynamics.CRM.In(',
    'PropertyName=',
    '[',
    ']',
    ' in ',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fragment, { maxLength: 30 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (expression) => {
      try {
        expect(read(expression).kind).toBeTypeOf('string');
      } catch (error) {
        expect(error).toBeInstanceOf(PlatformError);
      }
    }),
  );
});
