import { expect, test } from 'vitest';
import { refusalOf } from './credit-rule.ts';
import { policyOf } from './policy.ts';

const policy = policyOf('');
const credit = { creditLimit: undefined, revenue: undefined, telephone: undefined };

test('an account without a credit limit is fine', () => {
  expect(refusalOf(credit, policy)).toBeUndefined();
});

test('a small limit needs no revenue', () => {
  expect(refusalOf({ ...credit, creditLimit: 10_000 }, policy)).toBeUndefined();
  expect(refusalOf({ ...credit, creditLimit: 10_001 }, policy)?.highestLimit).toBe(10_000);
});

test('a limit may be a fifth of the revenue and not more', () => {
  expect(refusalOf({ ...credit, creditLimit: 40_000, revenue: 200_000 }, policy)).toBeUndefined();
  expect(refusalOf({ ...credit, creditLimit: 40_001, revenue: 200_000 }, policy)?.column).toBe('creditlimit');
});

test.for([
  ['no number', undefined, false],
  ['a number with too few digits', '044 668', false],
  ['words', 'call me', false],
  ['a national number', '044 668 18 00', true],
  ['an international number', '+49 30 901820', true],
] as const)('a high limit and %s', ([, telephone, isFine]) => {
  expect(refusalOf({ creditLimit: 60_000, revenue: 1_000_000, telephone }, policy) === undefined).toBe(isFine);
});

test('amounts are grouped, and their decimals are not', () => {
  const message = refusalOf({ ...credit, creditLimit: 1_234_567.1234, revenue: 10 }, policy)?.message;
  expect(message).toBe('The credit limit of 1,234,567.1234 exceeds 20 % of the revenue of 10: the highest is 10,000.');
});

test('the configuration replaces single values', () => {
  expect(policyOf('{"freeLimit":5}')).toEqual({ ...policy, freeLimit: 5 });
});

test.for(['{', '[]', 'null', '{"freelimit":5}', '{"freeLimit":"5"}', '{"toString":1}'])('the configuration %s is refused', (text) => {
  expect(() => policyOf(text)).toThrow();
});
