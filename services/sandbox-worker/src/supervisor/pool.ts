import type { Logger } from '@airlock/telemetry';
import type { SandboxProcess } from './sandbox-process.ts';
import type { Watch } from './watch.ts';

const MAX_EXECUTIONS = 1_000;
const MAX_AGE_MS = 10 * 60_000;
/** Children that began together must not end together: replacing all at once doubled their number for a while (measured). */
const LIFETIMES = 8;
const LIFETIME_STEP = 0.05;
const START_DEADLINE_MS = 15_000;
/** A preparation runs the bundle's top-level code, so it is watched like an execution. */
const PREPARE_DEADLINE_MS = 6_000;
const PREPARE_RESIDENT_BYTES = 320 * 1024 * 1024;
/** The result is still on its way then; a preparation at once would compete with it for the processor (measured: + 1 ms on two cores). */
const PREPARE_AFTER_MS = 2;
const RESPAWN_DELAY_MS = 20;
const FAILED_START_DELAY_MS = 1_000;
const MAX_DEAD_KEYS = 1_024;

/** A bundle that a child should have isolates of when it is idle. */
export interface Wish {
  readonly digest: string;
  readonly heapBytes: number;
  readonly count: number;
  readonly give: (child: SandboxProcess) => void;
}

export const preparationKey = (digest: string, heapBytes: number): string => `${digest}/${heapBytes}`;

export interface ChildPool extends Disposable {
  /** Without waiting: the best idle child, or `undefined`. */
  readonly take: (organizationId: string, key: string | undefined) => SandboxProcess | undefined;
  /** When `take` had none: the next child that is released or has prepared itself (milliseconds), or a new one (a tenth of a second). */
  readonly start: (organizationId: string) => Promise<SandboxProcess>;
  readonly release: (child: SandboxProcess, wishes: readonly Wish[]) => void;
  readonly discard: (child: SandboxProcess, cause: string) => void;
  /** Resolves when the first is ready; rejects when it did not start. The pool goes on trying by itself. */
  readonly openSpares: () => Promise<void>;
  readonly warm: () => string[];
  readonly size: () => number;
  readonly kills: Readonly<Record<string, number>>;
}

interface Waiter {
  readonly organizationId: string;
  readonly resolve: (child: SandboxProcess | Promise<SandboxProcess>) => void;
}

export interface PoolOptions {
  readonly spawn: () => SandboxProcess;
  readonly spares: number;
  /** Idle children that belong to an organization; the one that waited longest goes first. */
  readonly maxIdle: number;
  readonly nowMs: () => number;
  readonly watch: Watch;
  readonly log: Logger;
}

/**
 *   spawn → (ready) → spare → taken → idle ⇄ taken
 *                                  ↘ discard (any bad outcome, age, count, another organization needs the room)
 */
export function createChildPool({ spawn, spares, maxIdle, nowMs, watch, log }: PoolOptions): ChildPool {
  const spare: SandboxProcess[] = [];
  const idle: SandboxProcess[] = [];
  const all = new Set<SandboxProcess>();
  const kills: Record<string, number> = {};
  /** Preparations that ended badly: prepared again they would only kill the next child. */
  const deadKeys = new Set<string>();
  const preparing = new Map<string, number>();
  const waiters: Waiter[] = [];
  let starting = 0;
  let startingForWaiters = 0;
  let failedStartMs = Number.NEGATIVE_INFINITY;
  let closed = false;

  const remove = (list: SandboxProcess[], child: SandboxProcess): void => {
    const at = list.indexOf(child);
    if (at >= 0) list.splice(at, 1);
  };
  const forget = (child: SandboxProcess): void => {
    all.delete(child);
    remove(idle, child);
    remove(spare, child);
  };
  const discard = (child: SandboxProcess, cause: string): void => {
    if (!all.has(child)) return;
    forget(child);
    kills[cause] = (kills[cause] ?? 0) + 1;
    child.listener = undefined;
    child.kill();
    fillSoon(RESPAWN_DELAY_MS);
  };

  const begin = (): Promise<SandboxProcess> => {
    starting += 1;
    return new Promise<SandboxProcess>((resolve, reject) => {
      const child = spawn();
      all.add(child);
      const failed = (why: string): void => {
        clearTimeout(timer);
        starting -= 1;
        failedStartMs = nowMs();
        discard(child, 'start');
        reject(new Error(`a sandbox process did not start: ${why}; it wrote: ${child.startText || 'nothing'}`));
      };
      const timer = setTimeout(() => failed(`not ready after ${START_DEADLINE_MS} ms`), START_DEADLINE_MS);
      child.listener = {
        onMessage: (message) => {
          if (message.kind !== 'ready') return failed('it spoke before it was ready');
          clearTimeout(timer);
          starting -= 1;
          child.ready = true;
          child.listener = watchIdle(child);
          resolve(child);
        },
        onGone: () => failed('it ended'),
        onViolation: failed,
      };
    });
  };
  /** Nothing may come from an idle child; when it dies, only it is gone. */
  const watchIdle = (child: SandboxProcess) => ({
    onMessage: () => discard(child, 'protocol'),
    onGone: () => discard(child, 'died-idle'),
    onViolation: () => discard(child, 'protocol'),
  });

  const fillSoon = (delayMs: number): void => {
    if (!closed) setTimeout(fill, delayMs).unref();
  };
  const fill = (): void => {
    // What does not start now will hardly start in the next millisecond.
    if (nowMs() - failedStartMs < FAILED_START_DELAY_MS) return fillSoon(FAILED_START_DELAY_MS);
    while (!closed && spare.length + starting < spares) {
      begin().then(
        (child) => (closed ? child.kill() : spare.push(child)),
        (error: unknown) => {
          log.error({ err: error }, 'a spare sandbox process could not be started');
        },
      );
    }
  };

  /** Those who wait without a child of their organization that is about to be ready. */
  const uncovered = (): number => {
    const waiting = new Map<string, number>();
    for (const { organizationId } of waiters) waiting.set(organizationId, (waiting.get(organizationId) ?? 0) + 1);
    let sum = 0;
    for (const [organizationId, count] of waiting) sum += Math.max(0, count - (preparing.get(organizationId) ?? 0));
    return sum;
  };
  /**
   * Starts a child for everybody who waits without one. Whichever comes first serves, the new one or one that is released: a start takes a tenth of
   * a second, and starting another for each who waits meanwhile doubled the children for good (measured).
   */
  const cover = (): void => {
    while (!closed && startingForWaiters < uncovered()) {
      startingForWaiters += 1;
      begin().then(arrive, (error: unknown) => {
        startingForWaiters -= 1;
        waiters.shift()?.resolve(Promise.reject(error instanceof Error ? error : new Error('a sandbox process could not be started')));
      });
    }
  };
  const arrive = (child: SandboxProcess): void => {
    startingForWaiters -= 1;
    if (closed) return child.kill();
    const waiter = waiters.shift();
    if (waiter === undefined) spare.push(child);
    else waiter.resolve(owned(child, waiter.organizationId));
    // It may have been another's whose start this was.
    cover();
  };

  const worn = (child: SandboxProcess): boolean => {
    const share = 1 - (child.pid % LIFETIMES) * LIFETIME_STEP;
    return child.executions >= MAX_EXECUTIONS * share || nowMs() - child.bornMs > MAX_AGE_MS * share;
  };

  /** Sends what a child should prepare; it is idle again when all of it was answered. */
  const prepare = (child: SandboxProcess, wishes: readonly Wish[]): void => {
    const open = wishes.filter(({ digest, heapBytes, count }) => {
      const key = preparationKey(digest, heapBytes);
      return (child.prepared.get(key) ?? 0) < count && !deadKeys.has(key);
    });
    const [wish] = open;
    if (wish === undefined) return becomeIdle(child);
    const key = preparationKey(wish.digest, wish.heapBytes);
    count(child, 1);
    const bad = (cause: string): void => {
      unwatch();
      count(child, -1);
      if (deadKeys.size < MAX_DEAD_KEYS) deadKeys.add(key);
      log.warn({ digest: wish.digest, cause }, 'a bundle broke the sandbox process that prepared it; it is no longer prepared ahead');
      discard(child, `prepare-${cause}`);
      // Whoever counted on this child gets a new one.
      cover();
    };
    const unwatch = watch.add({
      usage: child.usage,
      deadlineAtMs: nowMs() + PREPARE_DEADLINE_MS,
      cpuMs: PREPARE_DEADLINE_MS,
      residentBytes: Math.max(PREPARE_RESIDENT_BYTES, wish.heapBytes * 4),
      onOverrun: bad,
    });
    child.listener = {
      onMessage: (message) => {
        if (message.kind !== 'prepared') return bad('protocol');
        unwatch();
        count(child, -1);
        child.prepared.set(key, Math.min(message.count, wish.count));
        if (message.count < wish.count && deadKeys.size < MAX_DEAD_KEYS) deadKeys.add(key);
        prepare(child, open.slice(1));
      },
      onGone: () => bad('died'),
      onViolation: () => bad('protocol'),
    };
    wish.give(child);
    child.send({ kind: 'prepare', digest: wish.digest, heapBytes: wish.heapBytes, count: wish.count });
  };
  const count = (child: SandboxProcess, by: 1 | -1): void => {
    const organizationId = child.organizationId ?? '';
    preparing.set(organizationId, (preparing.get(organizationId) ?? 0) + by);
    if (preparing.get(organizationId) === 0) preparing.delete(organizationId);
  };
  const nextWaiter = (organizationId: string | undefined): Waiter | undefined => {
    const at = waiters.findIndex((waiter) => waiter.organizationId === organizationId);
    return at < 0 ? undefined : waiters.splice(at, 1)[0];
  };
  const becomeIdle = (child: SandboxProcess): void => {
    const waiter = nextWaiter(child.organizationId);
    if (waiter !== undefined) return waiter.resolve(owned(child, waiter.organizationId));
    child.listener = watchIdle(child);
    idle.push(child);
    trim();
  };
  const trim = (): void => {
    while (idle.length > maxIdle) {
      const [oldest] = idle;
      if (oldest !== undefined) discard(oldest, 'idle');
    }
  };

  const owned = (child: SandboxProcess, organizationId: string): SandboxProcess => {
    child.organizationId = organizationId;
    child.listener = undefined;
    return child;
  };

  return {
    take: (organizationId, key) => {
      for (const child of [...idle, ...spare]) if (child.hasExited) discard(child, 'died-idle');
      let found: SandboxProcess | undefined;
      // Newest first: its memory is the warmest, and the oldest may then be trimmed.
      for (let i = idle.length - 1; i >= 0; i -= 1) {
        const child = idle[i] as SandboxProcess;
        if (child.organizationId !== organizationId) continue;
        found ??= child;
        if (key === undefined || (child.prepared.get(key) ?? 0) > 0) {
          found = child;
          break;
        }
      }
      if (found !== undefined) {
        remove(idle, found);
        return owned(found, organizationId);
      }
      const fresh = spare.shift();
      if (fresh === undefined) return undefined;
      fillSoon(RESPAWN_DELAY_MS);
      return owned(fresh, organizationId);
    },
    start: (organizationId) =>
      new Promise((resolve) => {
        waiters.push({ organizationId, resolve });
        cover();
      }),
    release: (child, wishes) => {
      if (closed || child.killed || child.gone || worn(child)) return discard(child, 'recycled');
      becomeIdle(child);
      setTimeout(() => {
        if (!idle.includes(child)) return;
        remove(idle, child);
        prepare(child, wishes);
      }, PREPARE_AFTER_MS).unref();
    },
    discard,
    openSpares: () => {
      const first = begin().then((child) => {
        if (closed) child.kill();
        else spare.push(child);
      });
      fill();
      return first;
    },
    warm: () =>
      [...new Set(idle.flatMap((child) => [...child.prepared].filter(([, count]) => count > 0).map(([key]) => key.slice(0, 12))))].slice(0, 64),
    size: () => all.size,
    kills,
    [Symbol.dispose]: () => {
      closed = true;
      for (const child of [...all]) discard(child, 'closed');
    },
  };
}
