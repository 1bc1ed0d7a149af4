import { openDispatcherPlayer } from '../../services/sandbox-worker/src/test-support/dispatcher-player.ts';
import { startWorkerProcess, type WorkerProcess } from '../../services/sandbox-worker/src/test-support/worker-process.ts';
import type { AssumedLimits, HostileCase, HostileClass } from './case-list.ts';
import { descendantsOf, isGone } from './process-tree.ts';
import { runCase } from './run-case.ts';
import { CANARY, createStubService } from './stub-service.ts';

export const MODES = ['jit', 'jitless'] as const;
export type Mode = (typeof MODES)[number];

export interface Line {
  readonly mode: Mode;
  readonly name: string;
  /** The class that was seen; for what is looked at in the end, what was found. */
  readonly seen: string;
  readonly expected: HostileClass | undefined;
  readonly ms: number;
  /** Invariants that were broken; empty: passed. */
  readonly problems: readonly string[];
}

export interface ModeOptions {
  readonly mode: Mode;
  readonly natsUrl: string;
  readonly cases: readonly HostileCase[];
  readonly limits: AssumedLimits;
  readonly report: (line: Line) => void;
}

const CASE_DEADLINE_MS = 60_000;
const WAIT_MS = 3_000;
const POLL_MS = 50;

const reporter = new URL('report-prototypes.mjs', import.meta.url).href;

/** Plays cases against one real worker, and looks at what is left of it in the end. */
export async function runMode({ mode, natsUrl, cases, limits, report }: ModeOptions): Promise<void> {
  const address = { pool: `hostile-${mode}`, workerId: `w-${mode}` };
  const service = createStubService();
  await using player = await openDispatcherPlayer(natsUrl, address, service.serve);
  await using worker = startWorkerProcess({
    NATS_URL: natsUrl,
    NODE_OPTIONS: `--import ${reporter}`,
    AIRLOCK_POOL: address.pool,
    AIRLOCK_WORKER_ID: address.workerId,
    AIRLOCK_JITLESS: mode === 'jitless' ? '1' : '0',
    AIRLOCK_LOG_LEVEL: 'error',
    SBX_CANARY: CANARY,
  });
  const hello = await player
    .helloThat(() => true)
    .catch((error: unknown) => {
      throw new Error(`the worker did not start:\n${worker.log()}`, { cause: error });
    });
  report({ mode, name: '(layers)', seen: hello.layers.join(' '), expected: undefined, ms: 0, problems: [] });
  await askBuiltins(worker, 1);
  for (const hostile of cases) {
    const startedMs = performance.now();
    const line = { mode, name: hostile.name, expected: hostile.expect };
    try {
      const result = await withDeadline(runCase(hostile, { player, service, workerPid: worker.pid, limits }));
      report({ ...line, ...result });
    } catch (error) {
      report({ ...line, seen: 'nothing', ms: performance.now() - startedMs, problems: [String(error)] });
    }
  }
  const problems: string[] = [];
  if (worker.process.exitCode !== null || worker.process.signalCode !== null) problems.push('I1 the worker had died');
  else if ((await askBuiltins(worker, 2)) !== 'unchanged') problems.push('I11 builtins of the worker changed');
  const tree = descendantsOf(worker.pid);
  worker.process.kill('SIGTERM');
  await worker.exited;
  const left = await leftOver(tree);
  if (left.length > 0) problems.push(`I14 left over: ${left.join(' ')}`);
  report({ mode, name: '(afterwards)', seen: 'nothing left over', expected: undefined, ms: 0, problems });
}

/** The answer comes on the worker's error stream. */
async function askBuiltins(worker: WorkerProcess, time: number): Promise<string | undefined> {
  worker.process.kill('SIGUSR2');
  const until = performance.now() + WAIT_MS;
  while (performance.now() < until) {
    const answers = [...worker.log().matchAll(/^builtins (\w+)$/gm)];
    if (answers.length >= time) return answers.at(-1)?.[1];
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return undefined;
}

function withDeadline<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no end within ${CASE_DEADLINE_MS} ms`)), CASE_DEADLINE_MS);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}

async function leftOver(tree: readonly number[]): Promise<readonly number[]> {
  const until = performance.now() + WAIT_MS;
  let left = tree.filter((pid) => !isGone(pid));
  while (left.length > 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    left = left.filter((pid) => !isGone(pid));
  }
  return left;
}
