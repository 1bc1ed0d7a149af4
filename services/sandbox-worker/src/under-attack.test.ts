import type { StepOutcome } from '@airlock/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DispatcherPlayer, openDispatcherPlayer, type Reply } from './test-support/dispatcher-player.ts';
import { startNatsServer, type TestNatsServer } from './test-support/nats-server.ts';
import { startWorkerProcess, type WorkerProcess } from './test-support/worker-process.ts';

const TIMEOUT_MS = 50_000;
const MIB = 1024 * 1024;
const address = { pool: 'under-attack', workerId: 'worker-1' };
let nats: TestNatsServer;
let player: DispatcherPlayer;
let worker: WorkerProcess;

beforeAll(async () => {
  nats = await startNatsServer();
  player = await openDispatcherPlayer(nats.url, address);
  worker = startWorkerProcess({
    NATS_URL: nats.url,
    AIRLOCK_POOL: address.pool,
    AIRLOCK_WORKER_ID: address.workerId,
    AIRLOCK_CAPACITY: '2',
    AIRLOCK_LOG_LEVEL: 'warn',
  });
  await player.helloThat(({ children }) => children > 0);
}, TIMEOUT_MS);
afterAll(async () => {
  await player[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
}, TIMEOUT_MS);

const plugin = (body: string): string => `module.exports = { typeName: 'Plugin', async execute(context) { ${body} } };`;

function outcomeOf({ message }: Reply): StepOutcome | undefined {
  return message.kind === 'ran' ? message.outcomes[0] : undefined;
}

const crash = `'.'.repeat(2 ** 28).split('');`;
const limits = { wallMs: 400, cpuMs: 300, residentBytes: 200 * MIB };

test('a bundle that kills sandbox processes again and again is throttled, and others are not', { timeout: TIMEOUT_MS }, async () => {
  const bad = { code: plugin(`/* throttled */ for (;;);`), limits: { ...limits, wallMs: 100 } };
  const seen: (StepOutcome | undefined)[] = [];
  for (let time = 0; time < 7; time += 1) seen.push(outcomeOf(await player.run([bad])));
  expect(seen.slice(0, 5).every((outcome) => outcome?.observation.deadlineFired || outcome?.observation.cpuLimitFired)).toBe(true);
  for (const outcome of seen.slice(5)) {
    expect(outcome?.observation).toMatchObject({ deadlineFired: false, childDied: false });
    expect(outcome?.observation.throttled).toContain('5 sandbox processes of one worker within 60 s');
  }
  expect((await player.inspect(bad)).observation.throttled).toContain('push a fixed version');
  expect(outcomeOf(await player.run([bad], { organizationId: 'org-2' }))?.observation.throttled).toBeUndefined();
  expect(outcomeOf(await player.run([{ code: plugin('') }]))?.observation.throttled).toBeUndefined();
  const hello = await player.helloThat(({ kills }) => (kills['throttled'] ?? 0) >= 3);
  expect(hello.kills['deadline'] ?? hello.kills['cpu']).toBeGreaterThanOrEqual(5);
  expect(worker.log()).toContain('a bundle ended its sandbox process');
});

test('I13: while loops, allocators and crashes run at full rate, no innocent execution fails or passes its own limits', {
  timeout: TIMEOUT_MS,
}, async () => {
  // Every attack is another bundle, so that none is throttled; they have the levels of their own depths, the innocents theirs.
  const bodies = [`for (;;);`, `const keep = []; for (;;) keep.push(new Array(1e5).fill(keep.length));`, crash, `await new Promise(() => {});`];
  let attacks = 0;
  let attacking = true;
  const attack = async (depth: number): Promise<void> => {
    while (attacking) {
      attacks += 1;
      await player.run([{ code: plugin(`/* ${attacks} */ ${bodies[attacks % bodies.length]}`), limits }], { depth });
    }
  };
  const attackers = [attack(1), attack(1), attack(2)];
  const innocent = plugin(`
    for (let i = 0; i < 3; i += 1) await context.organizationService.retrieve('account', 'a');
    await new Promise((resolve) => setTimeout(resolve, 30));
    context.tracing.trace('well');`);
  player.serveWith(() => ({ ok: true, body: { logicalName: 'account', id: 'a', attributes: {} } }));
  const outcomes: (StepOutcome | undefined)[] = [];
  // Its own wall limit is the measure: what is later fails by itself.
  for (let time = 0; time < 20; time += 1) outcomes.push(outcomeOf(await player.run([{ code: innocent, limits: { wallMs: 5_000 } }], { depth: 3 })));
  attacking = false;
  await Promise.all(attackers);
  expect(attacks).toBeGreaterThan(10);
  const failed = outcomes.filter((outcome) => outcome?.trace !== 'well');
  expect(failed).toEqual([]);
  expect(worker.process.exitCode).toBeNull();
});
