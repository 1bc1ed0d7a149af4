import type { Logger } from '@airlock/telemetry';
import type { Queryable } from '../store/queryable.ts';
import { insertTraceLogRows, isRefusedRow } from './insert-trace-log.ts';
import type { TraceLogRow } from './trace-log-row.ts';

/**
 * Writes trace log rows outside the business transaction, so that they survive its rollback (dataverse-facts statement
 * 40). `db` is a pool that no operation holds connections of. A trace log that cannot be written never fails an operation:
 * rows wait in memory, bounded in number and size, and what has to be dropped is counted and logged.
 */
export interface TraceLogWriterOptions {
  readonly maxRows?: number;
  readonly maxChars?: number;
  readonly batchRows?: number;
  readonly lingerMs?: number;
  /** How long a failed operation waits for its row before it answers without it (the row is still written). */
  readonly maxWaitMs?: number;
}

const defaults = { maxRows: 10_000, maxChars: 64 * 1024 * 1024, batchRows: 100, lingerMs: 200, maxWaitMs: 2_000 } as const;
/** Pause after a failed flush: the database is down, and hammering it helps nobody. */
const RETRY_MS = 2_000;

export class TraceLogWriter implements AsyncDisposable {
  readonly #db: Queryable;
  readonly #log: Logger;
  readonly #options: Required<TraceLogWriterOptions>;
  #waiting: TraceLogRow[] = [];
  #waitingChars = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #lost = 0;
  #inFlight = 0;
  #closed = false;

  constructor(db: Queryable, log: Logger, options: TraceLogWriterOptions = {}) {
    this.#db = db;
    this.#log = log;
    this.#options = { ...defaults, ...options };
  }

  /** Rows that were dropped since the start. */
  get lost(): number {
    return this.#lost;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** For failures: the row is there when the caller reads its answer. Never throws. */
  async writeNow(rows: readonly TraceLogRow[]): Promise<void> {
    if (rows.length === 0) return;
    if (this.#inFlight + rows.length > this.#options.maxRows) return this.#lose(rows.length, 'too many rows are being written');
    this.#inFlight += rows.length;
    const written = this.#insert(rows)
      .catch((error: unknown) => {
        this.#log.warn({ err: error, rows: rows.length }, 'trace log rows could not be written, they wait');
        for (const row of rows) this.writeLater(row);
      })
      .finally(() => {
        this.#inFlight -= rows.length;
      });
    const { promise: gaveUp, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.maxWaitMs);
    await Promise.race([written, gaveUp]);
    clearTimeout(timer);
  }

  /** For successes: written in batches. Never throws and never waits. */
  writeLater(row: TraceLogRow): void {
    const chars = charsOf(row);
    const { maxRows, maxChars, batchRows, lingerMs } = this.#options;
    if (this.#closed || this.#waiting.length >= maxRows || this.#waitingChars + chars > maxChars) return this.#lose(1, 'the buffer is full');
    this.#waiting.push(row);
    this.#waitingChars += chars;
    if (this.#waiting.length >= batchRows && this.#flushing === undefined) this.#schedule(0);
    else if (this.#timer === undefined && this.#flushing === undefined) this.#schedule(lingerMs);
  }

  /** Writes what waits; resolves when it is written or lost. */
  async flush(): Promise<void> {
    await this.#flushing;
    await this.#flushOnce();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.flush().catch(() => undefined);
    this.#closed = true;
    clearTimeout(this.#timer);
    const left = this.#take(Number.POSITIVE_INFINITY);
    if (left.length > 0) this.#lose(left.length, 'the dispatcher ended while the database was down');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#flushOnce().catch(() => undefined), delayMs);
    // Rows that wait must not keep a process alive; `close` writes them.
    this.#timer.unref();
  }

  #flushOnce(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing ??= this.#drain().finally(() => {
      this.#flushing = undefined;
      if (this.#waiting.length > 0 && !this.#closed && this.#timer === undefined) this.#schedule(this.#options.lingerMs);
    });
    return this.#flushing;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#take(this.#options.batchRows);
      try {
        await this.#insert(batch);
      } catch (error) {
        this.#log.warn({ err: error, rows: batch.length }, 'trace log rows could not be written, they wait');
        this.#putBack(batch);
        if (!this.#closed) this.#schedule(RETRY_MS);
        throw error;
      }
    }
  }

  /** One row that the database refuses must not take its batch with it, nor be tried for ever. */
  async #insert(rows: readonly TraceLogRow[]): Promise<void> {
    try {
      await insertTraceLogRows(this.#db, rows);
    } catch (error) {
      if (!isRefusedRow(error)) throw error;
      if (rows.length === 1) return this.#lose(1, 'the database refused the row', error);
      const middle = Math.ceil(rows.length / 2);
      await this.#insert(rows.slice(0, middle));
      await this.#insert(rows.slice(middle));
    }
  }

  #take(count: number): TraceLogRow[] {
    const taken = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    this.#waitingChars -= taken.reduce((sum, row) => sum + charsOf(row), 0);
    return taken;
  }

  /** Newer rows go first when there is no room: the old ones are those that an operator may be looking for. */
  #putBack(batch: readonly TraceLogRow[]): void {
    const room = Math.max(0, this.#options.maxRows - batch.length);
    const dropped = this.#waiting.slice(room);
    this.#waiting = [...batch, ...this.#waiting.slice(0, room)];
    this.#waitingChars = this.#waiting.reduce((sum, row) => sum + charsOf(row), 0);
    if (dropped.length > 0) this.#lose(dropped.length, 'the buffer is full');
  }

  #lose(rows: number, why: string, error?: unknown): void {
    this.#lost += rows;
    this.#log.error({ rows, lost: this.#lost, err: error }, `trace log rows were lost: ${why}`);
  }
}

function charsOf(row: TraceLogRow): number {
  return row.messageblock.length + row.exceptiondetails.length + row.configuration.length + 512;
}
