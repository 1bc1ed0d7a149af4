import { MAX_FETCHES, MAX_FETCHES_AT_ONCE } from '@airlock/protocol';

interface Line {
  last: number;
  served: number;
  running: number;
  readonly waiting: (() => Promise<void>)[];
}

/**
 * Requests of plug-ins to other hosts, a few of one execution at a time. Beside the service calls and not behind them: they
 * use no connection of the operation. The supervisor counts too, but a worker may be somebody else's.
 */
export class FetchDesk {
  readonly #lines = new Map<string, Line>();

  /** `work` never throws. `false`: the number was used already, or the execution has made as many as it may. */
  request(executionId: string, callId: number, work: () => Promise<void>): boolean {
    const line = this.#lines.get(executionId) ?? { last: -1, served: 0, running: 0, waiting: [] };
    if (callId <= line.last || line.served >= MAX_FETCHES) return false;
    line.last = callId;
    line.served += 1;
    this.#lines.set(executionId, line);
    line.waiting.push(work);
    if (line.running < MAX_FETCHES_AT_ONCE) void this.#serve(line);
    return true;
  }

  /** The execution has ended: what still waits is not begun. */
  forget(executionId: string): void {
    const line = this.#lines.get(executionId);
    if (line !== undefined) line.waiting.length = 0;
    this.#lines.delete(executionId);
  }

  async #serve(line: Line): Promise<void> {
    line.running += 1;
    for (let next = line.waiting.shift(); next !== undefined; next = line.waiting.shift()) await next();
    line.running -= 1;
  }
}
