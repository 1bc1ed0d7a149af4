import type { AfterFailureOptions, RetryPolicy, RunningJob } from '@airlock/pipeline';
import type { Logger } from '@airlock/telemetry';
import { sql } from 'drizzle-orm';
import type { PlatformDatabase } from '../store/platform-database.ts';
import { isRefusedRow } from '../trace-log/insert-trace-log.ts';
import type { AttemptEnd } from './attempt-end.ts';
import { type EndRow, endRow } from './decide-end.ts';
import { StoredState, stateOfRow } from './stored-state.ts';
import { writeEnds } from './write-ends.ts';

interface Waiting {
  readonly end: AttemptEnd;
  readonly written: () => void;
}

export interface EndWriterOptions {
  readonly db: PlatformDatabase;
  readonly policy: RetryPolicy;
  readonly log: Logger;
  /** The database's clock. */
  readonly nowMs: () => number;
}

const BATCH = 200;
const RETRY_MS = 250;
const IN_PROGRESS = 20;

/**
 * Writes how attempts ended. While one statement is on its way the next ends gather, so that the size of a batch follows
 * the load and a single end waits for nobody. What cannot be written is tried again: until then its job keeps its lease,
 * and when that is over another dispatcher decides.
 */
export class EndWriter implements AsyncDisposable {
  readonly #options: EndWriterOptions;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(options: EndWriterOptions) {
    this.#options = options;
  }

  get backlog(): number {
    return this.#waiting.length;
  }

  /** Resolves when the end is written, or somebody else has decided about the job. */
  write(end: AttemptEnd): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ end, written: resolve });
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return promise;
  }

  /** Waits a moment for what is there; what cannot be written stays leased and is taken over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // Those that end in the same turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        await this.#writeBatch(batch.map(({ end }) => end));
        for (const { written } of batch) written();
      } catch (error) {
        if (isRefusedRow(error)) {
          await this.#writeSingly(batch);
          continue;
        }
        this.#options.log.warn({ err: error, jobs: batch.length }, 'ends of system jobs could not be written, they are tried again');
        if (this.#closed) {
          for (const { written } of batch) written();
        } else {
          this.#waiting.unshift(...batch);
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      }
    }
  }

  /** The database refuses what is in one of them: it must not hold up the others. Its job keeps its lease until that is over. */
  async #writeSingly(batch: readonly Waiting[]): Promise<void> {
    for (const { end, written } of batch) {
      await this.#writeBatch([end]).catch((error: unknown) =>
        this.#options.log.error({ err: error, jobId: end.job.asyncoperationid }, 'the end of an attempt was refused by the database'),
      );
      written();
    }
  }

  /** Nearly always nobody has touched the job since it was claimed: decided on that, and fenced by it. The rest is read first. */
  async #writeBatch(ends: readonly AttemptEnd[]): Promise<void> {
    const rows = ends.map((end) => endRow(end, { status: 'InProgress', attempt: attemptOf(end) }, IN_PROGRESS, this.#chance()));
    const written = await this.#send(rows);
    const left = ends.filter(({ job }) => !written.has(job.asyncoperationid));
    if (left.length > 0) await this.#writeRead(left);
  }

  async #writeRead(ends: readonly AttemptEnd[]): Promise<void> {
    await this.#options.db.inTransaction(async (tx) => {
      const ids = ends.map(({ job }) => job.asyncoperationid);
      const found = await tx.query(sql`
        select asyncoperationid, leaseid, statecode, statuscode, attempt, postponeuntil, waitingfor from airlock.asyncoperation
        where asyncoperationid = any(${sql.param(ids)}::uuid[]) order by asyncoperationid for no key update`);
      const byId = new Map(found.map((row) => [String(row['asyncoperationid']), row]));
      const rows = ends.flatMap((end) => {
        const row = byId.get(end.job.asyncoperationid);
        if (row === undefined || row['leaseid'] !== end.job.leaseid) return [];
        const stored = StoredState.parse(row);
        const state = stateOfRow(stored);
        return isRunning(state) ? [endRow(end, state, stored.statuscode, this.#chance())] : [];
      });
      if (rows.length > 0) await writeEnds(tx, rows);
      const lost = ends.length - rows.length;
      if (lost > 0) this.#options.log.warn({ jobs: lost }, 'results of attempts that had lost their lease were dropped');
    });
  }

  async #send(rows: readonly EndRow[]): Promise<ReadonlySet<string>> {
    return await writeEnds(this.#options.db, rows);
  }

  #chance(): AfterFailureOptions {
    return { policy: this.#options.policy, now: this.#options.nowMs(), jitter: Math.random() };
  }
}

function attemptOf({ job }: AttemptEnd): RunningJob['attempt'] {
  return job.attempt as RunningJob['attempt']; // counted up from 0 by the claim
}

function isRunning(state: ReturnType<typeof stateOfRow>): state is RunningJob {
  return state.status === 'InProgress' || state.status === 'Pausing' || state.status === 'Canceling';
}
