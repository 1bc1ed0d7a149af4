import { NIL_UUID, type RetryPolicy } from '@airlock/pipeline';
import type { Logger } from '@airlock/telemetry';
import { sql } from 'drizzle-orm';
import type { KnownWorker } from '../bus/worker-directory.ts';
import type { QueuedKind } from '../execute-message/operation.ts';
import type { Registrations } from '../registrations/load-registrations.ts';
import type { PlatformDatabase } from '../store/platform-database.ts';
import type { AttemptEnd } from './attempt-end.ts';
import { type ClaimedJob, claimConstrained, claimJobs, type LimitedStep } from './claim-jobs.ts';
import { EndWriter } from './end-writer.ts';
import { jobCapacity } from './free-slots.ts';
import { renewLeases } from './renew-leases.ts';
import { takeOverLost } from './take-over-lost.ts';
import { wakeDue } from './wake-due.ts';

export interface JobSettings {
  readonly pool: string;
  readonly dispatcherId: string;
  /** Attempts that this dispatcher runs at once; 0: it runs none. */
  readonly limit: number;
  /** A lease that is not renewed for so long is lost. */
  readonly leaseMs: number;
  readonly policy: RetryPolicy;
  /** How long a shutdown waits for attempts that run. */
  readonly drainMs: number;
}

export interface JobRunnerOptions extends JobSettings {
  readonly db: PlatformDatabase;
  readonly log: Logger;
  readonly registrations: () => Registrations;
  readonly workers: () => readonly KnownWorker[];
  /** `ahead`: attempts for each slot that may wait at its worker. */
  readonly run: (job: ClaimedJob, signal: AbortSignal, ahead: number) => Promise<AttemptEnd>;
  /** Other dispatchers may have room for what is left here. */
  readonly wakeOthers: () => void;
}

interface Held {
  readonly job: ClaimedJob;
  readonly stop: AbortController;
}

const POLL_MS = 1_000;
const SWEEP_MS = 500;
/** A step whose runs find no worker, or whose bundle is throttled, is left alone for a moment. */
const COOL_DOWN_MS = 2_000;
const MAX_BACKLOG = 1_000;
const AVERAGE_WEIGHT = 0.1;

/**
 * Claims jobs within the workers' announced capacity, keeps their leases, runs them, and hands their ends to the writer.
 * Woken when an operation commits jobs; the slow poll is for wakes that were lost. Everything that a job may become is
 * decided elsewhere (pipeline's `system-job.ts`): this class owns the loop, its timers and what is in flight.
 */
export class JobRunner implements AsyncDisposable {
  readonly #options: JobRunnerOptions;
  readonly #writer: EndWriter;
  readonly #held = new Map<string, Held>();
  readonly #coolUntil = new Map<string, number>();
  readonly #timers: NodeJS.Timeout[] = [];
  #ready: Held[] = [];
  #running = 0;
  #claiming: Promise<void> | undefined;
  #again = false;
  #constrained = true;
  #after: string = NIL_UUID;
  #afterKey = '';
  #averageMs: number | undefined;
  #renewing: Promise<void> | undefined;
  #sweeping: Promise<void> | undefined;
  #databaseOkSince = 0;
  #clockOffsetMs = 0;
  #stopping = false;

  constructor(options: JobRunnerOptions) {
    this.#options = options;
    const { db, policy, log } = options;
    this.#writer = new EndWriter({ db, policy, log, nowMs: () => this.#nowMs() });
    this.#every(POLL_MS, () => {
      this.#constrained = true;
      this.wake();
    });
    this.#every(Math.max(200, options.leaseMs / 4), () => this.#renew());
    this.#every(SWEEP_MS, () => this.#sweep());
  }

  /** Jobs that this dispatcher holds the lease of. */
  get held(): number {
    return this.#held.size;
  }

  /** There may be jobs to claim. */
  wake(): void {
    if (this.#stopping || this.#options.limit === 0) return;
    this.#again = true;
    this.#claiming ??= this.#claimWhileRoom().finally(() => {
      this.#claiming = undefined;
      if (this.#again) this.wake();
    });
  }

  /** An operation of this dispatcher committed jobs. */
  queued(kind: QueuedKind): void {
    if (kind === 'constrained') this.#constrained = true;
    if (this.#options.limit === 0 || this.#room() <= 0) this.#options.wakeOthers();
    else this.wake();
  }

  /** A user changed these jobs: one that runs here is looked at now, not at the next heartbeat. */
  changed(jobIds: readonly string[]): void {
    this.#constrained = true;
    if (jobIds.some((id) => this.#held.has(id))) this.#renew();
    this.wake();
  }

  /** Claims no more, lets what runs end within the limit, and gives the rest back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    await this.#claiming;
    for (const held of this.#ready.splice(0)) void this.#release(held, notStarted(held));
    const drained = this.#untilIdle();
    const timer = setTimeout(() => this.#stopAll(), this.#options.drainMs);
    await drained;
    clearTimeout(timer);
    for (const each of this.#timers) clearInterval(each);
    await Promise.all([this.#renewing, this.#sweeping]);
    await this.#writer[Symbol.asyncDispose]();
    // What was given back waits for the others.
    this.#options.wakeOthers();
  }

  #every(ms: number, work: () => void): void {
    const timer = setInterval(work, ms);
    timer.unref();
    this.#timers.push(timer);
  }

  #idle: (() => void) | undefined;
  async #untilIdle(): Promise<void> {
    if (this.#held.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #stopAll(): void {
    for (const { stop } of this.#held.values()) stop.abort();
  }

  #nowMs(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  #capacity() {
    const { workers, pool, limit } = this.#options;
    return jobCapacity({ workers: workers(), pool, limit, running: this.#running, averageMs: this.#averageMs });
  }

  #room(): number {
    return this.#writer.backlog >= MAX_BACKLOG ? 0 : this.#capacity().held - this.#held.size;
  }

  async #claimWhileRoom(): Promise<void> {
    while (this.#again && !this.#stopping) {
      this.#again = false;
      // Half of what may be held, so that claims stay batches under load.
      const { held } = this.#capacity();
      const room = this.#room();
      if (room <= 0 || (this.#held.size > 0 && room * 2 < held)) return;
      try {
        const jobs = await this.#claim(room);
        for (const job of jobs) this.#take(job);
        if (jobs.length > 0) this.#again = true;
      } catch (error) {
        this.#databaseOkSince = 0;
        this.#options.log.warn({ err: error }, 'system jobs could not be claimed');
        return;
      }
    }
  }

  async #claim(room: number): Promise<readonly ClaimedJob[]> {
    const { db, pool, dispatcherId, leaseMs } = this.#options;
    const limited = this.#limitedSteps();
    const except = [...limited.map(({ stepId }) => stepId), ...this.#cooling()];
    const request = { pool, dispatcherId, leaseMs, limit: room, after: this.#after, except };
    const jobs: ClaimedJob[] = [];
    if (this.#constrained) {
      const claimed = await claimConstrained(db, { ...request, limit: Math.max(1, Math.ceil(room / 2)), limited, afterKey: this.#afterKey });
      this.#constrained = claimed.jobs.length > 0 || (claimed.lastKey === '' && this.#afterKey !== '');
      this.#afterKey = claimed.lastKey;
      jobs.push(...claimed.jobs);
    }
    if (jobs.length >= room) return jobs;
    const free = await claimJobs(db, { ...request, limit: room - jobs.length });
    this.#turn(free, room - jobs.length);
    return [...jobs, ...free];
  }

  /** More steps with jobs than there was room: the next claim begins behind the last one served. */
  #turn(jobs: readonly ClaimedJob[], asked: number): void {
    const steps = [...new Set(jobs.map(({ owningextensionid }) => owningextensionid))].toSorted();
    const next = steps.length === asked ? (steps.at(-1) ?? NIL_UUID) : NIL_UUID;
    if (jobs.length === 0 && this.#after !== NIL_UUID) this.#again = true;
    this.#after = next;
  }

  #limitedSteps(): readonly LimitedStep[] {
    const steps = [...this.#options.registrations().stepsById.values()];
    return steps.flatMap(({ id, maxConcurrency }) => (maxConcurrency === undefined ? [] : [{ stepId: id, limit: maxConcurrency }]));
  }

  #cooling(): readonly string[] {
    const now = performance.now();
    for (const [step, until] of this.#coolUntil) if (until <= now) this.#coolUntil.delete(step);
    return [...this.#coolUntil.keys()];
  }

  #take(job: ClaimedJob): void {
    const held: Held = { job, stop: new AbortController() };
    this.#held.set(job.asyncoperationid, held);
    this.#ready.push(held);
    this.#startReady();
  }

  #startReady(): void {
    while (!this.#stopping && this.#running < Math.max(1, this.#capacity().running)) {
      const next = this.#ready.shift();
      if (next === undefined) return;
      this.#running += 1;
      void this.#runOne(next);
    }
  }

  async #runOne(held: Held): Promise<void> {
    const { job, stop } = held;
    const before = performance.now();
    let end: AttemptEnd | undefined;
    try {
      end = await this.#options.run(job, stop.signal, this.#capacity().ahead);
    } catch (error) {
      // A bug of ours: the lease runs out, and the attempt counts.
      this.#options.log.error({ err: error, jobId: job.asyncoperationid }, 'an attempt of a system job broke');
    }
    this.#running -= 1;
    // Its time at the worker: how long it waited for that says nothing of how many more may wait.
    const tookMs = end?.receipt?.wallMs ?? performance.now() - before;
    this.#averageMs = this.#averageMs === undefined ? tookMs : this.#averageMs + AVERAGE_WEIGHT * (tookMs - this.#averageMs);
    this.#startReady();
    if (end !== undefined) this.#coolDown(end);
    await this.#release(held, end);
  }

  async #release({ job }: Held, end: AttemptEnd | undefined): Promise<void> {
    if (end !== undefined) await this.#writer.write(end);
    if (job.dependencytoken !== null) this.#constrained = true;
    this.#held.delete(job.asyncoperationid);
    if (this.#held.size === 0) this.#idle?.();
    this.wake();
  }

  #coolDown({ job, failure }: AttemptEnd): void {
    const nothingRan = failure?.kind === 'no-worker' || failure?.kind === 'throttled';
    if (nothingRan) this.#coolUntil.set(job.owningextensionid, performance.now() + COOL_DOWN_MS);
  }

  #renew(): void {
    if (this.#held.size === 0 || this.#renewing !== undefined) return;
    this.#renewing = this.#renewAll()
      .catch((error: unknown) => {
        this.#databaseOkSince = 0;
        this.#options.log.warn({ err: error }, 'the leases of system jobs could not be renewed');
      })
      .finally(() => {
        this.#renewing = undefined;
      });
  }

  async #renewAll(): Promise<void> {
    const asked = [...this.#held.values()];
    const leases = asked.map(({ job }) => ({ jobId: job.asyncoperationid, leaseId: job.leaseid }));
    const { held, canceling } = await renewLeases(this.#options.db, leases, this.#options.leaseMs);
    for (const { job, stop } of asked) {
      // Gone from here on: finished a moment ago, taken over, or cancelled by its user.
      if (!held.has(job.leaseid) || canceling.has(job.leaseid)) stop.abort();
    }
  }

  #sweep(): void {
    this.#sweeping ??= this.#sweepOnce()
      .catch((error: unknown) => {
        this.#databaseOkSince = 0;
        this.#options.log.warn({ err: error }, 'waiting and lost system jobs could not be looked for');
      })
      .finally(() => {
        this.#sweeping = undefined;
      });
  }

  async #sweepOnce(): Promise<void> {
    const { db, leaseMs, policy, log } = this.#options;
    const [row] = await db.query(sql`select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`);
    const seen = Date.now();
    if (this.#databaseOkSince === 0) this.#databaseOkSince = performance.now();
    this.#clockOffsetMs = Number(row?.['now']) - seen;
    const woken = await wakeDue(db);
    // After an outage of the database everybody's leases are old; whoever lives gets the time to renew its own.
    const settled = performance.now() - this.#databaseOkSince > leaseMs / 2;
    const lost = settled ? await takeOverLost(db, { policy, nowMs: this.#nowMs(), random: Math.random }) : 0;
    if (lost > 0) log.warn({ jobs: lost }, 'attempts of system jobs were lost and taken over');
    if (woken > 0 || lost > 0) {
      this.#constrained = true;
      this.wake();
    }
  }
}

function notStarted({ job }: Held): AttemptEnd {
  const now = Date.now();
  const failure = { origin: 'platform', kind: 'shutting-down' } as const;
  return { job, startedAtMs: now, endedAtMs: now, workerId: undefined, receipt: undefined, failure, nothingRan: true };
}
