import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Attempt } from './ids.ts';
import { fourAttempts, MAX_RETRY_AFTER_MS, retryDelayMs } from './retry-policy.ts';

const attempt = (n: number) => n as Attempt;
const delay = (n: number, jitter: number) => retryDelayMs(fourAttempts, { attempt: attempt(n), jitter });

test.for([
  [1, 8_000, 10_000, 12_000],
  [2, 32_000, 40_000, 48_000],
  [3, 128_000, 160_000, 192_000],
] as const)('after attempt %i the job waits %i to %i to %i ms', ([n, least, middle, most]) => {
  expect([delay(n, 0), delay(n, 0.5), delay(n, 1)]).toEqual([least, middle, most]);
});

test('no attempt makes it wait longer than the longest delay and its jitter', () => {
  expect(delay(1_000, 1)).toBe(fourAttempts.maxDelayMs * 1.2);
});

test('jitter moves the delay by its share and no further', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, jitter) => {
      expect(Math.abs(delay(n, jitter) - delay(n, 0.5))).toBeLessThanOrEqual(delay(n, 0.5) * fourAttempts.jitterShare + 1);
    }),
  ));

test.for([
  [0, 0],
  [1_500, 1_500],
  [-5, 0],
  [1e12, MAX_RETRY_AFTER_MS],
] as const)('a plug-in that asks for %d ms gets %d', ([retryAfterMs, expected]) => {
  expect(retryDelayMs(fourAttempts, { attempt: attempt(3), jitter: 0.9, retryAfterMs })).toBe(expected);
});
