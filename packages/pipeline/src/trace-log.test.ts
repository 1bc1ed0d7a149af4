import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Failure } from './failure.ts';
import { guestError, rejection } from './fixtures.ts';
import { exceptionDetailsOf, TraceLogSetting, traceTextOf, truncateMiddle, utf8Bytes, writesTraceLog } from './trace-log.ts';

const failure: Failure = { origin: 'plug-in', kind: 'unexpected', error: guestError };

test.for([
  [TraceLogSetting.Off, false, false],
  [TraceLogSetting.Exception, false, true],
  [TraceLogSetting.All, true, true],
] as const)('statement 61: with setting %i a success writes a row: %s, a failure: %s', ([setting, onSuccess, onFailure]) => {
  expect(writesTraceLog(setting, undefined)).toBe(onSuccess);
  expect(writesTraceLog(setting, failure)).toBe(onFailure);
});

describe('truncation', () => {
  /** Code units of every UTF-8 length, pairs and lone halves among them. */
  const anyText = fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', '\ud83d', '\ude00', '\n'), maxLength: 200 });
  const isLone = (text: string) => !text.isWellFormed();

  test('bytes are counted as UTF-8 does', () =>
    fc.assert(
      fc.property(anyText, (text) => {
        expect(utf8Bytes(text)).toBe(Array.from(text.toWellFormed()).reduce((sum, char) => sum + bytesOf(char.codePointAt(0) ?? 0), 0));
      }),
    ));
  const bytesOf = (point: number) => (point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4);

  test('a text within the limit stays as it is', () =>
    fc.assert(
      fc.property(anyText, fc.nat({ max: 50 }), (text, spare) => {
        expect(truncateMiddle(text, utf8Bytes(text) + spare)).toEqual({ text, cutBytes: 0 });
      }),
    ));

  test('the result is never longer than the limit and splits no pair', () =>
    fc.assert(
      fc.property(anyText, fc.nat({ max: 400 }), (text, limit) => {
        const cut = truncateMiddle(text, limit);
        expect(utf8Bytes(cut.text)).toBeLessThanOrEqual(limit);
        if (!isLone(text)) expect(isLone(cut.text)).toBe(false);
      }),
    ));

  test('what the mark says is missing is what is missing', () =>
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{100,300}$/), fc.integer({ min: 40, max: 90 }), (text, limit) => {
        const cut = truncateMiddle(text, limit);
        const [head = '', said = '', tail = ''] = cut.text.split(/\n\[… (\d+) bytes cut …\]\n/);
        expect(Number(said)).toBe(cut.cutBytes);
        expect(head.length + cut.cutBytes + tail.length).toBe(text.length);
        expect(text.startsWith(head) && text.endsWith(tail)).toBe(true);
      }),
    ));

  test('statement 62: head and newest lines are kept, the middle goes', () => {
    const lines = Array.from({ length: 2_000 }, (_, n) => `line ${n}`).join('\n');
    const { text } = truncateMiddle(lines, 1_000);
    expect(text).toMatch(/^line 0\nline 1\n/);
    expect(text).toMatch(/\nline 1998\nline 1999$/);
    expect(utf8Bytes(text)).toBeGreaterThan(990);
  });

  test('a limit without room for the mark keeps the end', () => {
    expect(truncateMiddle('0123456789', 4)).toEqual({ text: '6789', cutBytes: 6 });
    expect(truncateMiddle('0123456789', 0)).toEqual({ text: '', cutBytes: 10 });
  });
});

describe('the trace text of an answer', () => {
  const step = { assembly: 'credit', typeName: 'CheckCredit', stepId: 'id', stepName: 'Check credit' };

  test('has assembly, step and lines in the shape of the platform', () => {
    expect(traceTextOf(step, 'one\ntwo\n')).toBe('\r\n[credit: CheckCredit ]\r\n[id: Check credit]\r\n\r\n\tone\r\n\ttwo\r\n\r\n');
  });

  test('without lines ends after the step', () => {
    expect(traceTextOf(step, '')).toBe('\r\n[credit: CheckCredit ]\r\n[id: Check credit]\r\n\r\n\r\n');
  });

  test('a name cannot start a line of its own', () => {
    expect(traceTextOf({ ...step, stepName: 'a]\r\n[other: step' }, '')).toContain('[id: a] [other: step]\r\n');
  });
});

describe('exception details', () => {
  test('nothing when nothing failed', () => {
    expect(exceptionDetailsOf(undefined)).toBeUndefined();
  });

  test('hold the stack, which names the error once', () => {
    expect(exceptionDetailsOf(failure)).toBe(guestError.stack);
  });

  test('name the error where the stack does not, and a rejection too', () => {
    const error = { name: 'InvalidPluginExecutionException', message: 'Not allowed', stack: '    at src/check.ts:3:7' };
    const rejected: Failure = { origin: 'plug-in', kind: 'rejected', rejection: rejection(), error };
    expect(exceptionDetailsOf(rejected)).toBe('InvalidPluginExecutionException: Not allowed\n    at src/check.ts:3:7');
  });

  test('follow causes', () => {
    const cause = { name: 'RangeError', message: '', stack: '' };
    expect(exceptionDetailsOf({ ...failure, error: { ...guestError, cause } })).toBe(`${guestError.stack}\nCaused by: RangeError`);
  });

  test('end even when causes do not', () => {
    const circle: { name: string; message: string; stack: string; cause?: typeof circle } = { name: 'E', message: '', stack: '' };
    circle.cause = circle;
    expect(exceptionDetailsOf({ origin: 'plug-in', kind: 'unexpected', error: circle })?.split('Caused by').length).toBe(8);
  });

  test('of a limit hold its numbers', () => {
    expect(exceptionDetailsOf({ origin: 'sandbox', kind: 'deadline', limitMs: 10_000 })).toBe('sandbox: deadline\nlimitMs: 10000');
  });
});
