import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unstorablePlace } from './storable.ts';

test('a value is storable exactly when no text in it holds NUL or half of a surrogate pair', () => {
  const text = fc.array(fc.nat({ max: 0xffff }), { maxLength: 4 }).map((units) => String.fromCharCode(...units));
  fc.assert(
    fc.property(fc.array(text), (texts) => {
      const nested = { a: texts.map((each) => ({ [`b${each}`]: [each, 1, null] })) };
      return (unstorablePlace(nested, 'x') === undefined) === texts.every((each) => each.isWellFormed() && !each.includes('\0'));
    }),
  );
});

test('the place says where it stands, never what stands there', () => {
  expect(unstorablePlace({ a: [{ b: 'x\0secret' }] }, 'the body')).toBe('the body.a.0.b');
  expect(unstorablePlace({ code: '\0' }, 'the body', ['code'])).toBeUndefined();
});
