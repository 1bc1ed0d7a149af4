import type { KnownWorker } from '../bus/worker-directory.ts';

export interface JobCapacity {
  /** Attempts that may run now. */
  readonly running: number;
  /** Jobs that may be held: those that run, and the next ones, so that no slot waits for a claim. */
  readonly held: number;
}

export interface CapacityFacts {
  readonly workers: readonly KnownWorker[];
  readonly pool: string;
  /** The most attempts that this dispatcher runs at once. */
  readonly limit: number;
  /** Attempts that run here now. */
  readonly running: number;
  /** How long attempts took lately; `undefined`: none has run yet. */
  readonly averageMs: number | undefined;
}

/** Work that is worth having at hand: about the time of a few claims. */
const AHEAD_MS = 20;
const MAX_AHEAD = 32;

/**
 * What runs here and what the workers have free, less a quarter (of four slots and more) that stays for synchronous steps:
 * somebody waits in front of those. Jobs are held ahead only as far as they are short; a long one held here could run elsewhere.
 */
export function jobCapacity({ workers, pool, limit, running: now, averageMs }: CapacityFacts): JobCapacity {
  const usable = workers.filter(({ address, hello }) => address.pool === pool && !hello.draining);
  const free = usable.reduce((sum, { hello, free: [ofFirstDepth = 0] }) => sum + Math.max(0, ofFirstDepth - Math.floor(hello.capacity / 4)), 0);
  const running = Math.min(limit, now + free);
  const turns = averageMs === undefined ? 0 : Math.min(MAX_AHEAD, Math.floor(AHEAD_MS / Math.max(0.1, averageMs)));
  return { running, held: running + running * turns };
}
