/** Calls of one execution that may wait behind each other; the supervisor's own limit is lower. */
export const MAX_CALLS_WAITING = 128;

/** The service calls of one execution, served one after the other: they share the operation's connection. */
export class CallQueue {
  #last = -1;
  #served = 0;
  #waiting = 0;
  #tail: Promise<void> = Promise.resolve();

  /** `serve` never throws. A call number is used once: a repeated one is a replay, and must not write twice. */
  take(callId: number, maxCalls: number, serve: () => Promise<void>): 'taken' | 'replayed' | 'too many' {
    if (callId <= this.#last) return 'replayed';
    if (this.#waiting >= MAX_CALLS_WAITING || this.#served >= maxCalls) return 'too many';
    this.#last = callId;
    this.#served += 1;
    this.#waiting += 1;
    this.#tail = this.#tail.then(async () => {
      await serve();
      this.#waiting -= 1;
    });
    return 'taken';
  }

  /** Resolves when every call that was taken so far has been served. */
  get settled(): Promise<void> {
    return this.#tail;
  }
}
