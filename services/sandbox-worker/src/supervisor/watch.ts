import type { UsageReader } from './usage.ts';

/** What ran out; each ends in SIGKILL. */
export type Overrun = 'deadline' | 'cpu' | 'resident';

export interface Watched {
  readonly usage: UsageReader;
  /** On the clock given to `createWatch`. */
  readonly deadlineAtMs: number;
  readonly cpuMs: number;
  readonly residentBytes: number;
  readonly onOverrun: (overrun: Overrun) => void;
}

export interface Peak {
  readonly cpuMs: number;
  readonly residentBytes: number;
}

export interface Watch extends Disposable {
  /** Starts watching; the returned function ends it and says what was seen. */
  readonly add: (watched: Watched) => () => Peak;
}

/** Measured (facts §3.2): a poll of 15 ms kept the quickest allocator at 350 MB with a limit of 320 MB. */
const POLL_MS = 15;

interface Entry {
  readonly watched: Watched;
  baseCpuMs: number | undefined;
  cpuMs: number;
  residentBytes: number;
}

/**
 * The clocks that a plug-in cannot reach. One timer for everything that runs, none while nothing does. The first reading is the base
 * of the CPU time: an execution that ends within one period is never read at all, and the others gain at most one period.
 */
export function createWatch(nowMs: () => number): Watch {
  const entries = new Set<Entry>();
  let timer: NodeJS.Timeout | undefined;
  const check = (entry: Entry): void => {
    const { watched } = entry;
    const now = watched.usage.read();
    if (now !== undefined) {
      entry.baseCpuMs ??= now.cpuMs;
      entry.cpuMs = now.cpuMs - entry.baseCpuMs;
      entry.residentBytes = Math.max(entry.residentBytes, now.residentBytes);
    }
    if (entry.residentBytes > watched.residentBytes) watched.onOverrun('resident');
    else if (entry.cpuMs > watched.cpuMs) watched.onOverrun('cpu');
    else if (nowMs() > watched.deadlineAtMs) watched.onOverrun('deadline');
  };
  const checkAll = (): void => {
    for (const entry of entries) check(entry);
  };
  return {
    add: (watched) => {
      const entry: Entry = { watched, baseCpuMs: undefined, cpuMs: 0, residentBytes: 0 };
      entries.add(entry);
      timer ??= setInterval(checkAll, POLL_MS);
      return () => {
        entries.delete(entry);
        if (entries.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
        return { cpuMs: entry.cpuMs, residentBytes: entry.residentBytes };
      };
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
