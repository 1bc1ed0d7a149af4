import { PlatformError } from '@airlock/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDataPath } from './data-path.ts';

const ID = '3f2504e0-4f89-11d3-9a0c-0305e82c3301';

test.for([
  ['accounts', { name: 'accounts', key: undefined, hasParentheses: false }],
  ['WhoAmI()', { name: 'WhoAmI', key: undefined, hasParentheses: true }],
  [`accounts(${ID.toUpperCase()})`, { name: 'accounts', key: { by: 'id', id: ID } }],
  [`accounts('${ID}')`, { key: { by: 'id', id: ID } }],
  [`accounts%28${ID}%29/`, { key: { by: 'id', id: ID } }],
  ["accounts(number='A/B(1),''x''')", { key: { by: 'columns', columns: [['number', "A/B(1),'x'"]] } }],
  [
    "accounts(a='x', b=5,c=true)",
    {
      key: {
        by: 'columns',
        columns: [
          ['a', 'x'],
          ['b', 5],
          ['c', true],
        ],
      },
    },
  ],
  [`accounts(owner=${ID})`, { key: { by: 'columns', columns: [['owner', ID]] } }],
  ["EntityDefinitions(LogicalName='account')", { key: { by: 'columns', columns: [['LogicalName', 'account']] } }],
] as const)('reads %s', ([path, segment]) => {
  expect(parseDataPath(path)).toMatchObject([segment]);
});

test('doubled and trailing slashes make no segment', () => {
  expect(parseDataPath('//accounts//$count/').map(({ name }) => name)).toEqual(['accounts', '$count']);
});

test.for(['accounts(', 'accounts(x)', 'accounts(a=)', "accounts(a='x)", "accounts(a='x'b='y')", '%zz', 'a b', "'", '../x', 'accounts(a=1e5)'])(
  'refuses %s',
  (path) => {
    expect(() => parseDataPath(path)).toThrow(PlatformError);
  },
);

test('any text of an alternate key is read back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const path = `accounts(number='${value.replaceAll("'", "''")}')/name`;
      const [accounts, name] = parseDataPath(encodeURIComponent(path));
      expect(accounts?.key).toEqual({ by: 'columns', columns: [['number', value]] });
      expect(name?.name).toBe('name');
    }),
  );
});

test('any path is read or refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (path) => {
      try {
        parseDataPath(path);
      } catch (error) {
        expect(error).toBeInstanceOf(PlatformError);
      }
    }),
  );
});
