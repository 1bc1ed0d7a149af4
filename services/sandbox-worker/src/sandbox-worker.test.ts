import { readdirSync, readFileSync } from 'node:fs';
import type { RunResult, StepOutcome } from '@airlock/protocol';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type DispatcherPlayer, openDispatcherPlayer, type Reply, type StepOptions } from './test-support/dispatcher-player.ts';
import { startNatsServer, type TestNatsServer } from './test-support/nats-server.ts';
import { startWorkerProcess, type WorkerProcess } from './test-support/worker-process.ts';

const TIMEOUT_MS = 40_000;
const MIB = 1024 * 1024;
const address = { pool: 'under-test', workerId: 'worker-1' };
let nats: TestNatsServer;
let player: DispatcherPlayer;
let worker: WorkerProcess;

const startWorker = (workerId: string) =>
  startWorkerProcess({
    NATS_URL: nats.url,
    AIRLOCK_POOL: address.pool,
    AIRLOCK_WORKER_ID: workerId,
    AIRLOCK_CAPACITY: '2',
    AIRLOCK_LOG_LEVEL: 'warn',
  });

beforeAll(async () => {
  nats = await startNatsServer();
  player = await openDispatcherPlayer(nats.url, address);
  worker = startWorker(address.workerId);
  await player.helloThat(({ children }) => children > 0);
}, TIMEOUT_MS);
afterEach(() => player.serveWith(() => ({ ok: true, body: { id: 'row-1' } })));
afterAll(async () => {
  await player[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
}, TIMEOUT_MS);

const plugin = (body: string): string => `module.exports = { typeName: 'Plugin', async execute(context) { ${body} } };`;

function ran({ message }: Reply): RunResult {
  if (message.kind !== 'ran') throw new Error(`the worker answered ${message.kind}`);
  return message;
}
const onlyOutcome = (reply: Reply): StepOutcome => ran(reply).outcomes[0] as StepOutcome;
const run = async (body: string, options: Partial<StepOptions> = {}): Promise<StepOutcome> =>
  onlyOutcome(await player.run([{ code: plugin(body), ...options }]));

async function expectHealthy(): Promise<void> {
  expect(worker.process.exitCode).toBeNull();
  expect((await run(`context.tracing.trace('well');`)).trace).toBe('well');
}

const childPids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === worker.pid;
      } catch {
        return false;
      }
    });

test('what a plug-in changes in the shared variables comes back', { timeout: TIMEOUT_MS }, async () => {
  const reply = await player.run([
    {
      code: plugin(`context.executionContext.sharedVariables.seen = context.configuration.unsecure;`),
      configuration: { unsecure: 'abc', secure: '' },
    },
  ]);
  expect(onlyOutcome(reply).observation).toEqual(expect.objectContaining({ deadlineFired: false, childDied: false }));
  expect(JSON.parse(reply.state ?? '')).toMatchObject({ sharedVariables: { seen: 'abc' } });
});

test('steps of one assignment hand the state on, and the first failure ends it', { timeout: TIMEOUT_MS }, async () => {
  const add = { code: plugin(`const { sharedVariables: v } = context.executionContext; v.n = (v.n ?? 0) + 1;`) };
  const both = await player.run([add, add]);
  expect(JSON.parse(both.state ?? '')).toMatchObject({ sharedVariables: { n: 2 } });
  const broken = await player.run([add, { code: plugin(`throw new Error('second');`) }, add]);
  expect(ran(broken).outcomes).toHaveLength(2);
  expect(broken.state).toBeUndefined();
});

test('a service call goes out with the token of its execution and its answer comes back', { timeout: TIMEOUT_MS }, async () => {
  const tokens: string[] = [];
  player.serveWith((request, call) => {
    tokens.push(call.token);
    return { ok: true, body: { id: `id of ${String((request['attributes'] as Record<string, unknown>)['name'])}` } };
  });
  const outcome = await run(`context.tracing.trace(await context.organizationService.create('account', { name: 'Contoso' }));`);
  expect(outcome.trace).toBe('id of Contoso');
  expect(tokens).toEqual([outcome.token]);
  expect(outcome.receipt.hostCalls).toBe(1);
});

test('a rejection and an unexpected error are told apart', { timeout: TIMEOUT_MS }, async () => {
  const rejected = await run(`throw new InvalidPluginExecutionException('Too much credit.');`);
  expect(rejected.observation.thrown).toMatchObject({ rejection: { message: 'Too much credit.' } });
  const unexpected = await run(`const forged = new Error('x'); forged.name = 'InvalidPluginExecutionException'; throw forged;`);
  expect(unexpected.observation.thrown).toHaveProperty('error');
  expect(unexpected.observation.thrown).not.toHaveProperty('rejection');
});

test.for([
  ['an endless loop', `for (;;);`],
  ['an endless loop after a service call', `await context.organizationService.create('account', {}); for (;;);`],
  ['a builtin that cannot be interrupted', `Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1);`],
  ['a promise that never settles', `await new Promise(() => {});`],
] as const)('%s ends at the deadline and keeps the trace that it wrote', { timeout: TIMEOUT_MS }, async ([, body]) => {
  const outcome = await run(`context.tracing.trace('before'); ${body}`, { limits: { wallMs: 700 } });
  expect(outcome.observation.deadlineFired).toBe(true);
  expect(outcome.trace).toBe('before');
  await expectHealthy();
});

test('CPU time has a limit of its own', { timeout: TIMEOUT_MS }, async () => {
  const outcome = await run(`for (;;);`, { limits: { wallMs: 20_000, cpuMs: 200 } });
  expect(outcome.observation).toMatchObject({ cpuLimitFired: true, deadlineFired: false });
});

test('heap and resident memory have limits of their own', { timeout: TIMEOUT_MS }, async () => {
  const heap = await run(`const a = []; for (;;) a.push({ a: [1, 2, 3] });`, { limits: { heapBytes: 32 * MIB } });
  expect(heap.observation.heapExhausted || heap.observation.residentLimitFired).toBe(true);
  const resident = await run(`const a = []; for (;;) a.push(new Intl.DateTimeFormat('en'));`, {
    limits: { wallMs: 20_000, cpuMs: 20_000, residentBytes: 160 * MIB },
  });
  expect(resident.observation.residentLimitFired || resident.observation.heapExhausted).toBe(true);
  await expectHealthy();
});

test('a crash of the sandbox process is the failure of its execution only', { timeout: TIMEOUT_MS }, async () => {
  const limits = { residentBytes: 4_096 * MIB, heapBytes: 128 * MIB, cpuMs: 20_000, wallMs: 20_000 };
  const outcome = await run(`context.tracing.trace('before'); '.'.repeat(2 ** 28).split('');`, { limits });
  expect(outcome.observation.childDied).toBe(true);
  expect(outcome.trace).toBe('before');
  await expectHealthy();
});

test('a sandbox process that is killed from outside in the middle of an execution is reported as lost', { timeout: TIMEOUT_MS }, async () => {
  const { promise: called, resolve } = Promise.withResolvers<void>();
  player.serveWith(() => {
    resolve();
    return undefined;
  });
  const running = run(`await context.organizationService.create('account', {});`);
  await called;
  for (const pid of childPids()) process.kill(pid, 'SIGKILL');
  expect((await running).observation).toMatchObject({ childDied: true, deadlineFired: false });
  player.serveWith(() => ({ ok: true, body: {} }));
  await expectHealthy();
});

test('two executions see nothing of each other', { timeout: TIMEOUT_MS }, async () => {
  const body = `context.tracing.trace(String(globalThis.left)); globalThis.left = 'behind'; Array.prototype.push = null;`;
  expect([(await run(body)).trace, (await run(body)).trace]).toEqual(['undefined', 'undefined']);
});

test('a stateless bundle runs in the isolate that ran before', { timeout: TIMEOUT_MS }, async () => {
  const first = await run(`context.tracing.trace('1');`, { stateless: true });
  const second = await run(`context.tracing.trace('1');`, { stateless: true });
  expect([first.receipt.start, second.receipt.start]).toEqual(['cold', 'reused']);
});

test('more host calls than allowed end the execution', { timeout: TIMEOUT_MS }, async () => {
  const outcome = await run(`for (;;) await context.organizationService.retrieve('account', 'x');`, { limits: { hostCalls: 5 } });
  expect(outcome.observation.hostCallLimitFired).toBe(true);
  expect(player.calls.filter(({ executionId }) => executionId === outcome.executionId)).toHaveLength(5);
});

test('trace beyond its limit keeps head and tail and says so', { timeout: TIMEOUT_MS }, async () => {
  const outcome = await run(`for (let i = 0; i < 1000; i += 1) context.tracing.trace('line ' + i);`, { limits: { traceBytes: 1_024 } });
  expect(outcome.traceTruncated).toBe(true);
  expect(Buffer.byteLength(outcome.trace)).toBeLessThanOrEqual(1_024);
  expect(outcome.trace).toMatch(/^line 0\n[^]*line 999$/);
});

test('a full level answers busy, and a deeper one still takes work', { timeout: TIMEOUT_MS }, async () => {
  const answers: (() => void)[] = [];
  const { promise: bothCalled, resolve } = Promise.withResolvers<void>();
  player.serveWith(() => {
    const { promise, resolve: answer } = Promise.withResolvers<{ ok: boolean; body: unknown }>();
    answers.push(() => answer({ ok: true, body: {} }));
    if (answers.length === 2) resolve();
    return promise;
  });
  const waits = { code: plugin(`await context.organizationService.retrieve('account', 'x');`) };
  const running = [player.run([waits]), player.run([waits])];
  await bothCalled;
  expect((await player.run([waits])).message.kind).toBe('busy');
  const deeper = onlyOutcome(await player.run([{ code: plugin(`context.tracing.trace('deep');`) }], { depth: 2 }));
  expect(deeper.trace).toBe('deep');
  for (const answer of answers) answer();
  for (const reply of await Promise.all(running)) expect(onlyOutcome(reply).observation.thrown).toBeUndefined();
});

test('a cancelled run is killed', { timeout: TIMEOUT_MS }, async () => {
  const { promise: called, resolve } = Promise.withResolvers<void>();
  player.serveWith(() => {
    resolve();
    return undefined;
  });
  const running = player.run([{ code: plugin(`await context.organizationService.retrieve('account', 'x');`) }], { runId: 'run-to-cancel' });
  await called;
  player.cancel('run-to-cancel');
  const outcome = onlyOutcome(await running);
  expect(outcome.observation.deadlineFired).toBe(true);
  expect(outcome.receipt.wallMs).toBeLessThan(8_000);
});

test('a bundle that nobody has is reported as unavailable', { timeout: TIMEOUT_MS }, async () => {
  const other = await openDispatcherPlayer(nats.url, address);
  try {
    const reply = await other.run([{ code: plugin('') }]);
    expect(onlyOutcome(reply).observation.thrown).toBeUndefined();
  } finally {
    await other[Symbol.asyncDispose]();
  }
  const lost = await player.run([{ code: plugin('// never uploaded'), lost: true }]);
  expect(onlyOutcome(lost).observation.bundleUnavailable).toBe('the dispatcher does not have it.');
});

test('an inspection names the types, or the place where the bundle is broken', { timeout: TIMEOUT_MS }, async () => {
  const good = await player.inspect({ code: plugin('') });
  expect(good).toMatchObject({ types: [{ typeName: 'Plugin', steps: [] }] });
  expect(good.broke).toBeUndefined();
  const syntax = await player.inspect({ code: 'module.exports = {\n  execute() { return 1 +; }\n};' });
  expect(syntax.broke).toBe('not-parseable');
  expect(JSON.stringify(syntax.observation.thrown)).toContain(':2:');
  const throwing = await player.inspect({ code: `throw new Error('at load');` });
  expect(throwing.broke).toBe('throws-at-load');
  expect(throwing.observation.thrown).toMatchObject({ error: { message: 'at load' } });
});

test('a stack shows the place in the source of the author', { timeout: TIMEOUT_MS }, async () => {
  // One segment: line 1, column 0 of the bundle is line 7, column 3 of plugin.ts.
  const sourceMap = JSON.stringify({ version: 3, sources: ['src/plugin.ts'], names: [], mappings: 'AAMG' });
  const outcome = await run(`throw new Error('mapped');`, { sourceMap });
  const { thrown } = outcome.observation;
  expect(thrown === undefined || thrown === 'unreadable' ? '' : thrown.error.stack).toContain('src/plugin.ts:7:4');
});

test('the worker finds its way back when the bus was restarted', { timeout: TIMEOUT_MS }, async () => {
  await nats.restart();
  player.hellos.length = 0;
  await player.helloThat(() => true);
  await expectHealthy();
});

test('SIGTERM finishes what runs, takes nothing new, and leaves no process', { timeout: TIMEOUT_MS }, async () => {
  const own = { pool: address.pool, workerId: 'worker-2' };
  await using other = await openDispatcherPlayer(nats.url, own);
  await using second = startWorker(own.workerId);
  await other.helloThat(({ children }) => children > 0);
  const { promise: called, resolve: onCall } = Promise.withResolvers<void>();
  const { promise: answer, resolve: release } = Promise.withResolvers<{ ok: boolean; body: unknown }>();
  other.serveWith(() => {
    onCall();
    return answer;
  });
  const running = other.run([{ code: plugin(`await context.organizationService.retrieve('account', 'x'); context.tracing.trace('finished');`) }]);
  await called;
  second.process.kill('SIGTERM');
  await other.helloThat(({ draining }) => draining);
  expect((await other.run([{ code: plugin('') }])).message).toMatchObject({ kind: 'busy', draining: true });
  release({ ok: true, body: {} });
  expect(onlyOutcome(await running).trace).toBe('finished');
  expect(await second.exited).toBe(0);
});
