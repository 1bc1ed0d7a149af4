import { setTimeout as delay } from 'node:timers/promises';
import { httpClient } from '../support/http.ts';
import { type ChaosSystem, startChaosSystem } from './chaos-system.ts';
import { type Account, checks, type Rest } from './checks.ts';
import { connectTo, type QueueState, readEvidence, readQueue, waitingForTime } from './evidence.ts';
import { injectFaults } from './faults.ts';
import { type Load, type Operation, startLoad } from './load.ts';
import { randomOf } from './random.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  /** How long the system may take to come to rest afterwards. */
  readonly restSeconds: number;
  say(text: string): void;
  trace(text: string): void;
}

export interface CheckResult {
  readonly rule: string;
  readonly broken: readonly string[];
}

export interface ChaosReport {
  readonly results: readonly CheckResult[];
  readonly faults: ReadonlyMap<string, number>;
  readonly faultLog: readonly string[];
  readonly account: Account;
}

const REPORT_EVERY_MS = 60_000;
/** What a restarted dispatcher needs to see its workers and sweep once. */
const SETTLE_MS = 12_000;

const countOf = (operations: readonly Operation[], outcome: Operation['outcome']) => operations.filter((each) => each.outcome === outcome).length;

export function summaryOf(operations: readonly Operation[]): string {
  const [acknowledged, refused, unknown] = (['acknowledged', 'refused', 'unknown'] as const).map((outcome) => countOf(operations, outcome));
  return `${operations.length} operations: ${acknowledged} acknowledged, ${refused} refused, ${unknown} unknown`;
}

async function queueNow(system: ChaosSystem): Promise<QueueState | undefined> {
  const sql = connectTo(system.databaseUrl());
  try {
    return await readQueue(sql);
  } catch {
    return undefined;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function reportEvery(system: ChaosSystem, load: Load, say: ChaosOptions['say']): Disposable {
  let minute = 0;
  const timer = setInterval(() => {
    minute += 1;
    const line = `minute ${minute}: ${summaryOf(load.operations)}`;
    void queueNow(system).then((queue) =>
      say(
        queue === undefined ? `${line}; Postgres is away` : `${line}; jobs: ${queue.ready} ready, ${queue.running} running, ${queue.waiting} waiting`,
      ),
    );
  }, REPORT_EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** What a user does who does not want to wait for the back-off. */
async function retryNow(system: ChaosSystem, ids: readonly string[]): Promise<void> {
  const http = httpClient(system.dispatchers[0]?.url ?? '', system.token);
  for (const id of ids) await http.request('PATCH', `asyncoperations(${id})`, { body: { postponeuntil: null } });
}

/** Waits until no job is ready, running or about to be tried again. */
async function comeToRest(system: ChaosSystem, { restSeconds, say }: ChaosOptions): Promise<Rest> {
  const startedAt = performance.now();
  const sql = connectTo(system.databaseUrl());
  let overdueMs = 0;
  try {
    for (;;) {
      const elapsedMs = performance.now() - startedAt;
      const queue = await readQueue(sql);
      if (elapsedMs > SETTLE_MS) overdueMs = Math.max(overdueMs, queue.overdueMs);
      if (queue.ready === 0 && queue.running === 0 && queue.waiting === 0) return { quietAfterMs: elapsedMs, overdueMs };
      if (elapsedMs > restSeconds * 1_000) {
        say(`not at rest: ${queue.ready} jobs ready, ${queue.running} running, ${queue.waiting} waiting`);
        return { quietAfterMs: queue.ready === 0 && queue.running === 0 ? elapsedMs : undefined, overdueMs };
      }
      await retryNow(system, await waitingForTime(sql));
      await delay(250);
    }
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Breaks a whole system of its own for a while, and compares what it promised with what it kept. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, seconds, say } = options;
  const random = randomOf(seed);
  const ending = new AbortController();
  await using system = await startChaosSystem(ending.signal);
  say(`two dispatchers and two workers run; breaking things for ${seconds} s`);
  const load = startLoad(system, random.fork());
  const { counts, log } = await (async () => {
    using _reports = reportEvery(system, load, say);
    return await injectFaults(system, random.fork(), { untilMs: performance.now() + seconds * 1_000, trace: options.trace });
  })();
  await load.stop();
  say(`everything is whole again; ${summaryOf(load.operations)}`);
  const rest = await comeToRest(system, options);
  const account: Account = { operations: load.operations, evidence: await readEvidence(system.databaseUrl()), surprises: system.surprises, rest };
  const results = checks.map(({ rule, broken }) => ({ rule, broken: [...broken(account)] }));
  ending.abort();
  return { results, faults: counts, faultLog: log, account };
}
