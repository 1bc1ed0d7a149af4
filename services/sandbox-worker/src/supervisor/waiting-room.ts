import type { Assignment } from '@airlock/protocol';

/** An assignment that may wait for a slot, as it came. */
export interface WaitingRun {
  readonly request: Assignment;
  readonly lines: readonly string[];
  readonly untilMs: number;
}

export interface WaitingRoomOptions {
  readonly nowMs: () => number;
  /** Starts it when there is a slot for it. */
  readonly start: (run: WaitingRun) => 'started' | 'no-slot';
  readonly refuse: (run: WaitingRun) => void;
}

/** More than any dispatcher sends ahead; whoever sends more is refused at once. */
const MAX_WAITING = 256;

/**
 * Runs of system jobs that were sent ahead, so that a slot that comes free has its next one at hand: a round trip to the
 * dispatcher takes longer than a short job. Nothing of them has run; one that waited too long goes back.
 */
export class WaitingRoom implements Disposable {
  readonly #options: WaitingRoomOptions;
  #waiting: WaitingRun[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
  }

  has(runId: string): boolean {
    return this.#waiting.some(({ request }) => request.runId === runId);
  }

  /** `false`: there is no room. */
  add(request: Assignment, lines: readonly string[]): boolean {
    if (this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push({ request, lines, untilMs: this.#options.nowMs() + (request.queueMs ?? 0) });
    this.#timer ??= setTimeout(() => this.#refuseLate(), Math.max(1, request.queueMs ?? 0));
    return true;
  }

  /** First come, first served, as far as there are slots of their depth. */
  serve(): void {
    if (this.#waiting.length > 0) this.#waiting = this.#waiting.filter((run) => this.#options.start(run) === 'no-slot');
  }

  cancel(runId: string): void {
    this.#waiting = this.#waiting.filter(({ request }) => request.runId !== runId);
  }

  refuseAll(): void {
    for (const run of this.#waiting.splice(0)) this.#options.refuse(run);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #refuseLate(): void {
    this.#timer = undefined;
    const now = this.#options.nowMs();
    const late = this.#waiting.filter(({ untilMs }) => untilMs <= now);
    this.#waiting = this.#waiting.filter(({ untilMs }) => untilMs > now);
    for (const run of late) this.#options.refuse(run);
    const next = Math.min(...this.#waiting.map(({ untilMs }) => untilMs));
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#refuseLate(), Math.max(1, next - now));
  }
}
