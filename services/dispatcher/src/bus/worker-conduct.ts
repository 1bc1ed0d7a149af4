import type { WorkerAddress } from '@airlock/protocol';
import type { Logger } from '@airlock/telemetry';

/**
 * How workers behave, and what happens to one that does not. Rule: a worker that is hostile or broken costs the dispatcher
 * a bounded amount of work and of log, and after that one look-up a message; the others do not notice.
 * Only what no honest worker does in numbers is counted. What comes too late by a hair is expected and free: see `Expected`.
 */
export interface ConductOptions {
  readonly clock: () => number;
  readonly log: Logger;
  /** It is ignored from now on: whatever it runs is lost. */
  readonly onQuarantine: (worker: WorkerAddress) => void;
}

export type Offence = 'unreadable' | 'not entitled' | 'too many hellos' | 'too many requests' | 'no answer';

interface Standing {
  readonly worker: WorkerAddress;
  /** Points left; see `BURST`. */
  points: number;
  hellos: number;
  creditedAtMs: number;
  quarantinedUntilMs: number;
  offences: number;
}

/** Offences that a worker may commit at once, and how many of them a second are forgotten. */
const BURST = 200;
const FORGIVEN_PER_SECOND = 10;
const HELLO_BURST = 400;
/** A hello every half second, and one more when a slot frees after there was none: that many come with results. */
const HELLOS_PER_SECOND = 40;
const HELLOS_PER_RESULT = 2;
export const QUARANTINE_MS = 30_000;
const MAX_STANDINGS = 8_192;
/** Lines about one worker before it is quarantined; the line that says so has the number of all. */
const LOGGED_OFFENCES = 5;

const keyOf = ({ pool, workerId }: WorkerAddress) => `${pool}.${workerId}`;

export class WorkerConduct {
  readonly #options: ConductOptions;
  readonly #standings = new Map<string, Standing>();
  #ignored = 0;
  #quarantines = 0;

  constructor(options: ConductOptions) {
    this.#options = options;
  }

  /** Since the start: messages that were dropped unread, and how often a worker was put into quarantine. */
  get totals(): { readonly ignored: number; readonly quarantines: number } {
    return { ignored: this.#ignored, quarantines: this.#quarantines };
  }

  isQuarantined(worker: WorkerAddress): boolean {
    const standing = this.#standings.get(keyOf(worker));
    return standing !== undefined && standing.quarantinedUntilMs > this.#options.clock();
  }

  /** Whether its message is read at all. */
  admits(worker: WorkerAddress, verb: string): boolean {
    const standing = this.#standingOf(worker);
    if (standing.quarantinedUntilMs > this.#options.clock()) {
      this.#ignored += 1;
      return false;
    }
    if (verb !== 'hello') return true;
    if (standing.hellos >= 1) {
      standing.hellos -= 1;
      return true;
    }
    this.#ignored += 1;
    this.offend(worker, 'too many hellos', { points: 0.1 });
    return false;
  }

  /** It did what it was asked to. */
  deliver(worker: WorkerAddress): void {
    const standing = this.#standingOf(worker);
    standing.hellos = Math.min(HELLO_BURST, standing.hellos + HELLOS_PER_RESULT);
  }

  offend(worker: WorkerAddress, offence: Offence, { points = 1, detail = '' }: { readonly points?: number; readonly detail?: string } = {}): void {
    const { log, clock, onQuarantine } = this.#options;
    const standing = this.#standingOf(worker);
    if (standing.quarantinedUntilMs > clock()) return;
    standing.points -= points;
    standing.offences += 1;
    const facts = { pool: worker.pool, workerId: worker.workerId, offence, offences: standing.offences };
    if (standing.offences <= LOGGED_OFFENCES) log.warn({ ...facts, detail: detail.slice(0, 256) }, 'a message of a worker was refused');
    if (standing.points > 0) return;
    standing.quarantinedUntilMs = clock() + QUARANTINE_MS;
    // A second time comes sooner: what it did before is half forgotten, not all.
    standing.points = BURST / 2;
    standing.offences = 0;
    this.#quarantines += 1;
    log.error(
      { ...facts, quarantineMs: QUARANTINE_MS },
      'a worker breaks the protocol again and again and is ignored for a while; look at its machine',
    );
    onQuarantine(worker);
  }

  #standingOf(worker: WorkerAddress): Standing {
    const key = keyOf(worker);
    const now = this.#options.clock();
    const known = this.#standings.get(key);
    if (known === undefined) {
      // The oldest goes: who may choose its own name must not fill the memory with names.
      const [oldest] = this.#standings.keys();
      if (this.#standings.size >= MAX_STANDINGS && oldest !== undefined) this.#standings.delete(oldest);
      const fresh: Standing = { worker, points: BURST, hellos: HELLO_BURST, creditedAtMs: now, quarantinedUntilMs: 0, offences: 0 };
      this.#standings.set(key, fresh);
      return fresh;
    }
    const seconds = Math.max(0, now - known.creditedAtMs) / 1_000;
    known.points = Math.min(BURST, known.points + seconds * FORGIVEN_PER_SECOND);
    known.hellos = Math.min(HELLO_BURST, known.hellos + seconds * HELLOS_PER_SECOND);
    if (known.points === BURST) known.offences = 0;
    known.creditedAtMs = now;
    return known;
  }
}

/** Runs that ended a moment ago, so that what their worker had already sent is not held against it. */
export class Expected {
  readonly #left = new Map<string, { readonly worker: string; messages: number }>();

  expect(id: string, worker: WorkerAddress, messages: number): void {
    const [oldest] = this.#left.keys();
    if (this.#left.size >= MAX_STANDINGS && oldest !== undefined) this.#left.delete(oldest);
    this.#left.set(id, { worker: keyOf(worker), messages });
  }

  /** Takes one of what was expected of it; `false` when there was none. */
  take(id: string, worker: WorkerAddress): boolean {
    const left = this.#left.get(id);
    if (left === undefined || left.worker !== keyOf(worker) || left.messages < 1) return false;
    left.messages -= 1;
    return true;
  }
}
