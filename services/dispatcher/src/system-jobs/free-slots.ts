import type { KnownWorker } from '../bus/worker-directory.ts';

export interface JobCapacity {
  /** Attempts that may run now. */
  readonly running: number;
  /** Jobs that may be held: those that run, and the next ones, so that no slot waits for a claim. */
  readonly held: number;
  /** Attempts for each slot that may wait at its worker. */
  readonly ahead: number;
}

export interface CapacityFacts {
  readonly workers: readonly KnownWorker[];
  readonly pool: string;
  /** The most attempts that this dispatcher runs at once. */
  readonly limit: number;
  /** Attempts that run here now. */
  readonly running: number;
  /** How long attempts took lately, once they had begun; `undefined`: none has run yet. */
  readonly averageMs: number | undefined;
}

/** Work that is worth having at hand: about the time of a few claims, and of a few trips to a worker. */
const AHEAD_MS = 20;
const MAX_AHEAD = 32;
const AT_WORKER_MS = 10;
const MAX_AT_WORKER = 8;

/**
 * What runs here and what the workers have free, less a quarter (of four slots and more) that stays for synchronous steps:
 * somebody waits in front of those. Jobs are held ahead only as far as they are short; a long one held here could run elsewhere.
 */
export function jobCapacity({ workers, pool, limit, running: now, averageMs }: CapacityFacts): JobCapacity {
  const usable = workers.filter(({ address, hello }) => address.pool === pool && !hello.draining);
  const shortMs = Math.max(0.1, averageMs ?? Number.POSITIVE_INFINITY);
  const ahead = Math.min(MAX_AT_WORKER, Math.floor(AT_WORKER_MS / shortMs));
  const free = usable.reduce(
    (sum, { hello, free: [ofFirstDepth = 0] }) => sum + Math.max(0, ofFirstDepth - Math.floor(hello.capacity / 4) + ahead * hello.capacity),
    0,
  );
  const running = Math.min(limit, now + free);
  const turns = Math.min(MAX_AHEAD, Math.floor(AHEAD_MS / shortMs));
  return { running, held: running + running * turns, ahead };
}
