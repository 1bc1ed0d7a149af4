import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRateLimiter } from './rate-limit.ts';

test('a full bucket gives its capacity at once, then says how long to wait', () => {
  const limiter = createRateLimiter({ capacity: 3, windowSeconds: 30, maxBuckets: 10 });
  expect([1, 2, 3, 4].map(() => limiter.take('k', 0))).toEqual([0, 0, 0, 10]);
  expect(limiter.take('k', 9_999)).toBe(1);
  expect(limiter.take('k', 10_000)).toBe(0);
  expect(limiter.take('other', 0)).toBe(0);
});

test('no order of requests gets more than capacity and refill allow', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 5_000 }), { maxLength: 100 }), (pauses) => {
      const limiter = createRateLimiter({ capacity: 5, windowSeconds: 10, maxBuckets: 10 });
      let nowMs = 0;
      let granted = 0;
      for (const pauseMs of pauses) {
        nowMs += pauseMs;
        if (limiter.take('k', nowMs) === 0) granted++;
      }
      expect(granted).toBeLessThanOrEqual(5 + nowMs / 2_000 + 1e-6);
    }),
  );
});

test('waiting as long as told is always enough', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 600 }), fc.nat(1_000), (capacity, windowSeconds, startMs) => {
      const limiter = createRateLimiter({ capacity, windowSeconds, maxBuckets: 1 });
      for (let taken = 0; taken < capacity; taken++) limiter.take('k', startMs);
      const waitSeconds = limiter.take('k', startMs);
      expect(waitSeconds).toBeGreaterThan(0);
      expect(limiter.take('k', startMs + waitSeconds * 1_000)).toBe(0);
    }),
  );
});

test('the buckets are bounded, and asking makes none', () => {
  const limiter = createRateLimiter({ capacity: 1, windowSeconds: 1, maxBuckets: 3 });
  for (let name = 0; name < 100; name++) limiter.take(String(name), 0);
  expect(limiter.size).toBe(3);
  expect(limiter.secondsUntilFree('new', 0)).toBe(0);
  expect(limiter.size).toBe(3);
});

test('a clock that steps back locks nobody out', () => {
  const limiter = createRateLimiter({ capacity: 1, windowSeconds: 1, maxBuckets: 3 });
  limiter.take('k', 1_000_000);
  limiter.take('k', 0);
  expect(limiter.take('k', 1_000)).toBe(0);
});
