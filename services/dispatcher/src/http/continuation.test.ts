import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Continuation, decodeContinuation, encodeContinuation } from './continuation.ts';

const continuation: fc.Arbitrary<Continuation> = fc.record(
  {
    version: fc.constant(1 as const),
    options: fc.dictionary(fc.constantFrom('$select', '$filter', '$orderby', '$count', 'tag'), fc.string({ unit: 'grapheme' }), {
      noNullPrototype: true,
    }),
    skipToken: fc.string(),
    pageSize: fc.integer({ min: 1, max: 5_000 }),
    remaining: fc.integer({ min: 1, max: 5_000 }),
  },
  { requiredKeys: ['version', 'options', 'skipToken', 'pageSize'], noNullPrototype: true },
);

test('what is encoded comes back, needs no percent sign, and survives a slash behind it', () => {
  fc.assert(
    fc.property(continuation, (state) => {
      const token = encodeContinuation(state);
      expect(encodeURIComponent(token)).toBe(token);
      expect(decodeContinuation(`${token}/`)).toEqual(state);
    }),
  );
});

const refusal = 'The $skiptoken is not one of a next link; start the query again.';
const tokenOf = (value: unknown) => deflateRawSync(Buffer.from(JSON.stringify(value))).toString('base64url');

test.for([
  ['no token', ''],
  ['text', 'hello world'],
  ['no deflate stream', 'AAAA'],
  ['another version', tokenOf({ version: 2, options: {}, skipToken: '', pageSize: 1 })],
  ['no page size', tokenOf({ version: 1, options: {}, skipToken: '', pageSize: 0 })],
  ['a field of its own', tokenOf({ version: 1, options: {}, skipToken: '', pageSize: 1, more: 1 })],
  ['a megabyte in a few bytes', tokenOf({ version: 1, options: { tag: 'x'.repeat(1_000_000) }, skipToken: '', pageSize: 1 })],
] as const)('%s is refused', ([, token]) => {
  expect(() => decodeContinuation(token)).toThrow(refusal);
});

test('any text is a token or refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (text) => {
      expect(() => decodeContinuation(text)).toThrow(refusal);
    }),
  );
});
