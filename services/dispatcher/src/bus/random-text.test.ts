import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomText } from './random-text.ts';

test('a text has as many bytes as were asked for, in either encoding', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4_096 }),
      fc.constantFrom('hex' as const, 'base64url' as const),
      (bytes, encoding) => Buffer.from(randomText(bytes, encoding), encoding).length === bytes,
    ),
  ));

test('no text comes twice, however often the pool is filled again, and none is of used-up bytes', () => {
  const texts = Array.from({ length: 5_000 }, (_, index) => randomText(index % 2 === 0 ? 16 : 32, 'hex'));
  expect(new Set(texts.map((text) => text.slice(0, 32))).size).toBe(texts.length);
  expect(texts.filter((text) => /^0+$/.test(text))).toEqual([]);
});

test.for([0, -1, 1.5, 4_097])('%s bytes are refused', (bytes) => {
  expect(() => randomText(bytes, 'hex')).toThrow(RangeError);
});
