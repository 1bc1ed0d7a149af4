import { PlatformError } from '@airlock/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InexactNumber, readJson } from './read-json.ts';

const read = (text: string, depth = 64) => readJson(Buffer.from(text, 'utf8'), depth);

test('any JSON value that is no text is read as it is, also when it was encoded twice', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 8 }).filter((value) => typeof value !== 'string'),
      (value) => {
        const text = JSON.stringify(value);
        const expected: unknown = JSON.parse(text);
        expect(read(text)).toEqual(expected);
        expect(read(JSON.stringify(text))).toEqual(expected);
      },
    ),
  );
});

test('an absent body is no value', () => {
  expect([readJson(undefined, 64), readJson(Buffer.alloc(0), 64)]).toEqual([undefined, undefined]);
});

test.for(['0.1', '-0', '1e3', '100', '1.50', '123456789012345', '0.000001', '1.7976931348623157e308', '9007199254740993e0'.replace('3e0', '2')])(
  'the number %s is kept',
  (text) => {
    expect(read(`[${text}]`)).toEqual([Number(text)]);
  },
);
test.for(['9007199254740993', '0.10000000000000001', '12345678901234567890', '1e400', '1e-400', '1234567890123.45678912'])(
  'the number %s is known to lose digits',
  (text) => {
    expect(read(`{"a":${text}}`)).toEqual({ a: new InexactNumber(text) });
  },
);

test('depth is counted outside texts only, and before anything is parsed', () => {
  expect(read(JSON.stringify({ a: '[[[[[[[[' }), 1)).toEqual({ a: '[[[[[[[[' });
  expect(read(String.raw`{"a":"\"[["}`, 1)).toEqual({ a: '"[[' });
  expect(read('[[[1]]]', 3)).toEqual([[[1]]]);
  expect(() => read('[[[1]]]', 2)).toThrow('The request body is nested deeper than 2 levels.');
  expect(() => read('['.repeat(1_000_000))).toThrow('The request body is nested deeper than 64 levels.');
  expect(() => read(JSON.stringify('['.repeat(100)))).toThrow('The request body is nested deeper than 64 levels.');
});

test('any bytes are JSON or a refusal that does not quote them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      try {
        readJson(Buffer.from(bytes), 64);
      } catch (error) {
        expect(error).toBeInstanceOf(PlatformError);
      }
    }),
  );
  expect(() => read('{"secret":hunter2}')).toThrow(/^((?!hunter2).)*$/);
});
