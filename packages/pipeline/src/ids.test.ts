import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NIL_UUID, parseAttempt, parseBundleDigest, parseStepId, parseUuid } from './ids.ts';

test('every uuid is read in either case and comes back in lower case', () =>
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      expect(parseUuid(uuid.toUpperCase())).toBe(uuid);
      expect(parseStepId(uuid)).toBe(uuid);
    }),
  ));

test('the nil uuid is a uuid', () => {
  expect(parseUuid(NIL_UUID)).toBe(NIL_UUID);
});

test.for([
  '',
  'x',
  `{${NIL_UUID}}`,
  `${NIL_UUID} `,
  `${NIL_UUID}\n`,
  NIL_UUID.replaceAll('-', ''),
  NIL_UUID.replace('0', 'g'),
  NIL_UUID.replace('0', 'İ'),
])('%j is no uuid', (text) => {
  expect(parseUuid(text)).toBeUndefined();
});

test('a digest is 64 hexadecimal digits', () => {
  expect(parseBundleDigest('AB'.repeat(32))).toBe('ab'.repeat(32));
  expect(parseBundleDigest('ab'.repeat(31))).toBeUndefined();
  expect(parseBundleDigest('zz'.repeat(32))).toBeUndefined();
});

test('an attempt is a whole number from 1', () => {
  expect(parseAttempt(1)).toBe(1);
  for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) expect(parseAttempt(value)).toBeUndefined();
});
