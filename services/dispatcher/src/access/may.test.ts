import { expect, test } from 'vitest';
import { roles } from '../metadata/table.ts';
import { atLeast, may, needs } from './may.ts';

const table = { rights: { create: 'author', read: 'user', write: 'operator', delete: undefined } } as const;

test.for([
  ['user', [false, true, false, false]],
  ['author', [true, true, false, false]],
  ['operator', [true, true, true, false]],
] as const)('the role %s holds the rights of the roles before it', ([role, expected]) => {
  expect((['create', 'read', 'write', 'delete'] as const).map((right) => may(role, table, right))).toEqual(expected);
});

test('the least role of a right is known, and may be nobody', () => {
  expect([needs(table, 'create'), needs(table, 'delete')]).toEqual(['author', undefined]);
});

test('every role is at least itself', () => {
  for (const role of roles) expect(atLeast(role, role)).toBe(true);
  expect(atLeast('user', 'operator')).toBe(false);
});
