import { DEPTH_LEVELS, type Hello, WORKER_LOST_MS, type WorkerAddress } from '@airlock/protocol';

export interface KnownWorker {
  readonly address: WorkerAddress;
  readonly hello: Hello;
  readonly heardAtMs: number;
  /** Free slots per depth level, as far as this dispatcher knows: the worker's word, less what was sent since. */
  readonly free: readonly number[];
}

interface Entry {
  readonly address: WorkerAddress;
  hello: Hello;
  heardAtMs: number;
  /** The worker's own count, less what this dispatcher has sent since. Another dispatcher may be quicker: then it answers busy. */
  free: number[];
  /** Slots that this dispatcher has taken and not given back. A hello that was under way when they were taken knows nothing of them. */
  readonly taken: number[];
  /** Refusals since it last did what it was asked to, and until when it is passed over because of them. */
  refusals: number;
  passedOverUntilMs: number;
}

/** A slot of a worker that this dispatcher counts as taken until it is released. */
export interface Slot {
  readonly worker: WorkerAddress;
  readonly incarnation: string;
  release(): void;
  /** The worker had none: nothing is free there until it says so. */
  refuse(): void;
}

export interface SlotRequest {
  readonly pool: string;
  /** Depth of the operation, from 1. */
  readonly depth: number;
  readonly digest: string;
  readonly waitMs: number;
  /** Runs for each slot of a worker that may wait at the worker itself; `free` is below zero by as many. */
  readonly ahead?: number;
  /** When it was first asked for: one that a busy worker refused keeps its place in the queue. */
  readonly since?: number;
}

export type SlotAnswer =
  | { readonly slot: Slot }
  | { readonly slot: undefined; readonly workers: number; readonly queued: number; readonly waitedMs: number };

interface Waiter {
  readonly request: SlotRequest;
  readonly since: number;
  readonly answer: (answer: SlotAnswer) => void;
  readonly timer: NodeJS.Timeout;
}

/** Executions that may wait for a slot of one pool; the next one is told at once that there is none. */
const MAX_WAITING = 2_000;
/** Workers that a pool may have. Beyond it a new one is not heard: names are free for who holds the key of a whole pool. */
export const MAX_WORKERS_A_POOL = 256;
const MAX_WORKERS = 4_096;
const WARM_DIGITS = 12;
/** One that says it is free and then refuses, again and again, must not be asked in a loop while others could run. */
const REFUSALS_FREE = 8;
const PASSED_OVER_MS = 10;
const PASSED_OVER_MAX_MS = 250;
const SWEEP_MS = 250;

const keyOf = ({ pool, workerId }: WorkerAddress) => `${pool}.${workerId}`;

/** Which workers there are, by their own word, and who waits for one. Slots are counted per depth: see `DEPTH_LEVELS`. */
export class WorkerDirectory implements Disposable {
  readonly #clock: () => number;
  readonly #onLost: (worker: WorkerAddress, incarnation: string) => void;
  readonly #workers = new Map<string, Entry>();
  #waiting: Waiter[] = [];
  readonly #sweeper: NodeJS.Timeout;

  constructor(clock: () => number, onLost: (worker: WorkerAddress, incarnation: string) => void) {
    this.#clock = clock;
    this.#onLost = onLost;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeper.unref();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  list(): readonly KnownWorker[] {
    return [...this.#workers.values()].map(({ address, hello, heardAtMs, free }) => ({ address, hello, heardAtMs, free: [...free] }));
  }

  /** `false`: the pool has too many workers, and this one is not among them. */
  heard(address: WorkerAddress, hello: Hello): boolean {
    const known = this.#workers.get(keyOf(address));
    if (known === undefined && this.#isFull(address.pool)) return false;
    if (known !== undefined && known.hello.incarnation !== hello.incarnation) this.#onLost(address, known.hello.incarnation);
    const taken = known?.hello.incarnation === hello.incarnation ? known.taken : new Array<number>(DEPTH_LEVELS).fill(0);
    const free = hello.free.map((count, level) => Math.min(count, hello.capacity - (taken[level] ?? 0)));
    const { refusals, passedOverUntilMs } = known ?? { refusals: 0, passedOverUntilMs: 0 };
    this.#workers.set(keyOf(address), { address, hello, heardAtMs: this.#clock(), free, taken, refusals, passedOverUntilMs });
    this.#serve();
    return true;
  }

  #isFull(pool: string): boolean {
    if (this.#workers.size < MAX_WORKERS_A_POOL) return false;
    const inPool = [...this.#workers.values()].filter(({ address }) => address.pool === pool).length;
    return inPool >= MAX_WORKERS_A_POOL || this.#workers.size >= MAX_WORKERS;
  }

  /** It did what it was asked to. */
  delivered(worker: WorkerAddress): void {
    const entry = this.#workers.get(keyOf(worker));
    if (entry !== undefined) entry.refusals = 0;
  }

  /** Nobody listens on its subject any more. */
  gone(worker: WorkerAddress): void {
    const entry = this.#workers.get(keyOf(worker));
    if (entry === undefined) return;
    this.#workers.delete(keyOf(worker));
    this.#onLost(worker, entry.hello.incarnation);
  }

  async take(request: SlotRequest): Promise<SlotAnswer> {
    const slot = this.#waiting.some((waiter) => sameQueue(waiter.request, request)) ? undefined : this.#pick(request);
    if (slot !== undefined) return { slot };
    if (this.#waiting.length >= MAX_WAITING) return this.#none(request.pool, 0);
    const now = this.#clock();
    const since = request.since ?? now;
    return await new Promise((answer) => {
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((waiter) => waiter.timer !== timer);
        answer(this.#none(request.pool, this.#clock() - now));
      }, request.waitMs);
      this.#waiting.push({ request, since, answer, timer });
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#sweeper);
    for (const { timer, answer, request } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      answer(this.#none(request.pool, 0));
    }
  }

  #none(pool: string, waitedMs: number): SlotAnswer {
    // One that drains takes nothing: who reads the number wants to know whether there is anybody to wait for.
    const workers = [...this.#workers.values()].filter(({ address, hello }) => address.pool === pool && !hello.draining).length;
    const queued = this.#waiting.filter(({ request }) => request.pool === pool).length;
    return { slot: undefined, workers, queued, waitedMs: Math.round(waitedMs) };
  }

  /** A warm bundle first, then the most free slots. */
  #pick({ pool, depth, digest, ahead = 0 }: SlotRequest): Slot | undefined {
    const level = levelOf(depth);
    const prefix = digest.slice(0, WARM_DIGITS);
    const now = this.#clock();
    let best: { readonly entry: Entry; readonly score: number } | undefined;
    for (const entry of this.#workers.values()) {
      const free = entry.free[level] ?? 0;
      if (entry.address.pool !== pool || entry.hello.draining || free <= -ahead * entry.hello.capacity || entry.passedOverUntilMs > now) continue;
      const score = free + (entry.hello.warm.includes(prefix) ? 10_000 : 0);
      if (best === undefined || score > best.score) best = { entry, score };
    }
    return best === undefined ? undefined : this.#slotOf(best.entry, level);
  }

  #slotOf(entry: Entry, level: number): Slot {
    entry.free[level] = (entry.free[level] ?? 0) - 1;
    entry.taken[level] = (entry.taken[level] ?? 0) + 1;
    const { incarnation } = entry.hello;
    let over = false;
    /** The worker as it is known now; `undefined` when it is another one by now, or the slot was given back before. */
    const giveBack = (): Entry | undefined => {
      const current = over ? undefined : this.#workers.get(keyOf(entry.address));
      over = true;
      if (current?.hello.incarnation !== incarnation) return undefined;
      current.taken[level] = Math.max(0, (current.taken[level] ?? 0) - 1);
      return current;
    };
    return {
      worker: entry.address,
      incarnation,
      release: () => {
        const current = giveBack();
        if (current === undefined) return;
        const most = current.hello.capacity - (current.taken[level] ?? 0);
        current.free[level] = Math.min(most, (current.free[level] ?? 0) + 1);
        this.#serve();
      },
      refuse: () => {
        const current = giveBack();
        if (current === undefined) return;
        current.free[level] = Math.min(0, current.free[level] ?? 0);
        current.refusals += 1;
        // A few are races with another dispatcher, and wait for the next hello only.
        if (current.refusals > REFUSALS_FREE) current.passedOverUntilMs = this.#clock() + passedOverMs(current.refusals);
      },
    };
  }

  /** First come, first served within a pool and depth; deeper ones first, because shallower ones wait for them. */
  #serve(): void {
    if (this.#waiting.length === 0) return;
    const left: Waiter[] = [];
    for (const waiter of this.#waiting.toSorted((a, b) => b.request.depth - a.request.depth || a.since - b.since)) {
      const slot = this.#pick(waiter.request);
      if (slot === undefined) left.push(waiter);
      else {
        clearTimeout(waiter.timer);
        waiter.answer({ slot });
      }
    }
    this.#waiting = left;
  }

  #sweep(): void {
    const now = this.#clock();
    for (const [key, { address, hello, heardAtMs }] of this.#workers) {
      if (now - heardAtMs <= WORKER_LOST_MS) continue;
      this.#workers.delete(key);
      this.#onLost(address, hello.incarnation);
    }
    // One that was passed over may be asked again.
    this.#serve();
  }
}

function sameQueue(a: SlotRequest, b: SlotRequest): boolean {
  return a.pool === b.pool && a.depth === b.depth;
}

function passedOverMs(refusals: number): number {
  return Math.min(PASSED_OVER_MAX_MS, PASSED_OVER_MS * 2 ** (refusals - REFUSALS_FREE));
}

function levelOf(depth: number): number {
  return Math.min(depth, DEPTH_LEVELS) - 1;
}
