import { openDispatcherPlayer } from '../../services/sandbox-worker/src/test-support/dispatcher-player.ts';
import { startNatsServer } from '../../services/sandbox-worker/src/test-support/nats-server.ts';
import { startWorkerProcess } from '../../services/sandbox-worker/src/test-support/worker-process.ts';
import { type HostileCase, readCases } from './case-list.ts';
import { descendantsOf, isGone } from './process-tree.ts';
import { runCase } from './run-case.ts';
import { CANARY, createStubService } from './stub-service.ts';

/**
 * `npm run hostile -- DIR [name part]`: every bundle of DIR against a real worker over a real nats-server, with JIT and without.
 * One line a case, `N passed, N failed` at the end, exit code 1 if any failed.
 */
const CASE_DEADLINE_MS = 60_000;
const LEFT_OVER_WAIT_MS = 3_000;
const MODES = ['jit', 'jitless'] as const;

const [directory, only = ''] = process.argv.slice(2);
if (directory === undefined) {
  console.error('usage: npm run hostile -- DIR [part of a name]; DIR holds *.js and expected.json');
  process.exit(2);
}
const { limits, cases } = readCases(directory);
const chosen = cases.filter(({ name }) => name.includes(only));

let passed = 0;
let failed = 0;
function report(mode: string, name: string, ok: boolean, text: string): void {
  if (ok) passed += 1;
  else failed += 1;
  console.log(`${ok ? 'pass' : 'FAIL'}  ${mode.padEnd(8)}${name.padEnd(44)} ${text}`);
}

const withDeadline = <T>(work: Promise<T>): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no end within ${CASE_DEADLINE_MS} ms`)), CASE_DEADLINE_MS);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
};

async function runMode(mode: (typeof MODES)[number], natsUrl: string): Promise<void> {
  const address = { pool: `hostile-${mode}`, workerId: `w-${mode}` };
  const service = createStubService();
  await using player = await openDispatcherPlayer(natsUrl, address, service.serve);
  await using worker = startWorkerProcess({
    NATS_URL: natsUrl,
    AIRLOCK_POOL: address.pool,
    AIRLOCK_WORKER_ID: address.workerId,
    AIRLOCK_JITLESS: mode === 'jitless' ? '1' : '0',
    AIRLOCK_LOG_LEVEL: 'warn',
    SBX_CANARY: CANARY,
  });
  await player
    .helloThat(() => true)
    .catch((error: unknown) => {
      throw new Error(`the worker did not start:\n${worker.log()}`, { cause: error });
    });
  for (const hostile of chosen) await runOne(mode, hostile, { player, service, workerPid: worker.pid, limits });
  const tree = descendantsOf(worker.pid);
  const alive = worker.process.exitCode === null && worker.process.signalCode === null;
  worker.process.kill('SIGTERM');
  await worker.exited;
  const left = await leftOver(tree);
  report(
    mode,
    '(afterwards)',
    alive && left.length === 0,
    alive ? (left.length === 0 ? 'nothing left over' : `I14 ${left.join(' ')}`) : 'I1 the worker had died',
  );
}

async function runOne(mode: string, hostile: HostileCase, runner: Parameters<typeof runCase>[1]): Promise<void> {
  try {
    const { seen, ms, problems } = await withDeadline(runCase(hostile, runner));
    const text = `${seen.padEnd(19)}${seen === hostile.expect ? '' : `(expected ${hostile.expect}) `}${Math.round(ms)} ms ${problems.join('; ')}`;
    report(mode, hostile.name, problems.length === 0, text.trimEnd());
  } catch (error) {
    report(mode, hostile.name, false, String(error));
  }
}

async function leftOver(tree: readonly number[]): Promise<readonly number[]> {
  const until = performance.now() + LEFT_OVER_WAIT_MS;
  let left = tree.filter((pid) => !isGone(pid));
  while (left.length > 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = left.filter((pid) => !isGone(pid));
  }
  return left;
}

{
  await using nats = await startNatsServer();
  for (const mode of MODES) await runMode(mode, nats.url);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
