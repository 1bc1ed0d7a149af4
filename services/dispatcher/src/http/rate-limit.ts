interface Bucket {
  tokens: number;
  refilledAtMs: number;
}

export interface RateLimit {
  readonly capacity: number;
  readonly windowSeconds: number;
  /** Buckets kept at once; the least recently used one is dropped, which only ever forgives. */
  readonly maxBuckets: number;
}

export interface RateLimiter {
  /** Takes one token; 0 when there was one, otherwise the seconds (at least 1) until there is. */
  take(name: string, nowMs: number): number;
  /** Like {@link take} without taking. */
  secondsUntilFree(name: string, nowMs: number): number;
  readonly size: number;
}

/** What adding up fractions of a token may lose: whoever waits as long as told must find a whole one. */
const ROUNDING = 1e-9;

/** A token bucket for each name: `capacity` at once, refilled evenly over the window. Pure but for its own map; the clock comes in. */
export function createRateLimiter({ capacity, windowSeconds, maxBuckets }: RateLimit): RateLimiter {
  const buckets = new Map<string, Bucket>();
  const perMs = capacity / (windowSeconds * 1_000);

  const refilled = (name: string, nowMs: number): Bucket => {
    const known = buckets.get(name);
    if (known === undefined) return { tokens: capacity, refilledAtMs: nowMs };
    // A clock that stepped back gives nothing and takes nothing.
    const elapsedMs = Math.max(0, nowMs - known.refilledAtMs);
    return { tokens: Math.min(capacity, known.tokens + elapsedMs * perMs), refilledAtMs: nowMs };
  };
  const waitOf = (bucket: Bucket): number => (bucket.tokens >= 1 - ROUNDING ? 0 : Math.max(1, Math.ceil((1 - bucket.tokens) / perMs / 1_000)));

  return {
    take(name, nowMs) {
      const bucket = refilled(name, nowMs);
      const waitSeconds = waitOf(bucket);
      if (waitSeconds === 0) bucket.tokens = Math.max(0, bucket.tokens - 1);
      // Re-inserting keeps the map in order of use.
      buckets.delete(name);
      buckets.set(name, bucket);
      if (buckets.size > maxBuckets) {
        const oldest = buckets.keys().next();
        if (oldest.done !== true) buckets.delete(oldest.value);
      }
      return waitSeconds;
    },
    secondsUntilFree: (name, nowMs) => waitOf(refilled(name, nowMs)),
    get size() {
      return buckets.size;
    },
  };
}
