import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collectTrace } from './trace-text.ts';

test('what fits is kept whole', () => {
  const trace = collectTrace(1_000);
  trace.add('one');
  trace.add('two');
  expect(trace.finish()).toEqual({ trace: 'one\ntwo', traceTruncated: false });
});

test('a line feed within one trace cannot look like the next record', () => {
  const trace = collectTrace(1_000);
  trace.add('a\r\nFAKE record');
  expect(trace.finish().trace).toBe('a\n  FAKE record');
});

test('one line larger than the limit keeps its head and its tail', () => {
  const trace = collectTrace(1_000);
  trace.add(`first${'x'.repeat(5_000)}last`);
  const { trace: text, traceTruncated } = trace.finish();
  expect(traceTruncated).toBe(true);
  expect(text).toMatch(/^first[^]*… \d+ bytes of trace left out …[^]*last$/);
});

test('no trace is larger than its limit, and none is cut without saying so', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 60 }), fc.integer({ min: 256, max: 4_096 }), (lines, limit) => {
      const trace = collectTrace(limit);
      for (const line of lines) trace.add(line);
      const { trace: text, traceTruncated } = trace.finish();
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
      expect(traceTruncated || trace.receivedBytes() <= limit + 1).toBe(true);
    }),
  );
});
