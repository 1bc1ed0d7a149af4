import { MAX_FRAME_LINES } from '@airlock/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readFrame, UnreadableError } from './read-frame.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test('any JSON envelope of allowed depth is read as JSON.parse reads it, and the other lines stay as they are', () => {
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 10 }),
      fc.array(
        fc.string().map((text) => text.replaceAll('\n', ' ').toWellFormed()),
        { maxLength: 10 },
      ),
      (envelope, lines) => {
        const read = readFrame('result', bytes([envelope, ...lines].join('\n')));
        expect(read.envelope).toEqual(JSON.parse(envelope));
        expect(read.lines).toEqual(lines);
      },
    ),
  );
});

test('any bytes are read or refused, never anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4_000 }), (data) => {
      try {
        readFrame('call', data);
      } catch (error) {
        expect(error instanceof UnreadableError || error instanceof SyntaxError).toBe(true);
      }
    }),
  );
});

test('an envelope that nests without end is refused before it is parsed', () => {
  expect(() => readFrame('result', bytes('['.repeat(400_000)))).toThrow('nests deeper');
  expect(() => readFrame('result', bytes(`{"a":${'['.repeat(30)}${']'.repeat(30)}}`))).toThrow('nests deeper');
});

test('brackets and quotes inside of texts do not count', () => {
  const envelope = { text: `${'['.repeat(1_000)}"\\`, next: '{{{{' };
  expect(readFrame('result', bytes(JSON.stringify(envelope))).envelope).toEqual(envelope);
});

test('a text of nothing but escaped quotes takes no longer than its length', () => {
  expect(() => readFrame('result', bytes(`"${'\\"'.repeat(400_000)}`))).toThrow(SyntaxError);
});

test('a hello and a request for a bundle are short; a frame has so many lines and no more', () => {
  expect(() => readFrame('hello', new Uint8Array(17 * 1024))).toThrow('limit of hello');
  expect(() => readFrame('bundle', new Uint8Array(3 * 1024))).toThrow('limit of bundle');
  expect(() => readFrame('result', bytes(`{}${'\n'.repeat(MAX_FRAME_LINES)}`))).toThrow('lines');
});
