/**
 * A worker machine that is somebody else's: it has the worker's own key, real assignments and real tokens. Each test is one
 * thing that it tries, against a real server, a real dispatcher and an honest worker beside it (invariant I18).
 */
import { readFileSync } from 'node:fs';
import { bundleSubject, callSubject, encodeFrame, helloSubject, resultSubject } from '@airlock/protocol';
import { connect } from '@nats-io/transport-node';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createdId, type HttpAnswer } from '../support/http.ts';
import { usePluginSystem } from '../support/plugin-system.ts';
import { startWorker } from '../support/services.ts';
import { openRogue, type Rogue } from './rogue-worker.ts';

const OTHER = { pool: 'other', workerId: 'neighbour' };
const system = usePluginSystem({ pools: [{ pool: OTHER.pool, workerIds: [OTHER.workerId] }] });
let digest = '';

/** Descriptions tell who ran the step: an honest worker writes `honest`. */
beforeAll(async () => {
  const pushed = await system.install(`
    export const mark = definePlugin({
      steps: [{ name: 'mark', message: 'Create', table: 'account', stage: 'PreOperation', limits: { wallMs: 2_000 } }],
      execute({ executionContext }) { executionContext.inputParameters.Target.attributes.description = 'honest'; },
    });`);
  digest = pushed.bundle.digest;
});

function keyFile(pool: string, workerId: string): string {
  const { access } = system.airlock.nats;
  if (access === undefined) throw new Error('the bus of this system asks for keys');
  return access.workerKeyFile(pool, workerId);
}
/** Every test plays another machine, so that what one did is not held against the next. */
const rogueOf = (workerId: string, pool = 'default') => openRogue(system.airlock.nats.url, keyFile(pool, workerId), { pool, workerId });

const create = (name: string): Promise<HttpAnswer> => system.http.request('POST', 'accounts', { body: { name } });
const descriptionOf = async (answer: HttpAnswer) => (await system.read('accounts', createdId(answer), 'description'))['description'];
const named = async (name: string) => {
  const answer = await system.http.request('GET', `accounts?$select=name&$filter=name eq '${name}'`);
  return z.object({ value: z.array(z.unknown()) }).parse(answer.body).value.length;
};
const workers = async () =>
  z.array(z.looseObject({ workerId: z.string() })).parse((await system.http.request('GET', '/api/airlock/v1/workers')).body);
const dispatcherLog = () => system.airlock.dispatchers.flatMap(({ process }) => process.lines());

/** What is slow here is a machine with other work. */
const poll = <T>(read: () => T) => expect.poll(read, { timeout: 20_000, interval: 25 });
/** From here on runs go to it: the dispatcher has heard it. */
async function attract(rogue: Rogue): Promise<void> {
  await rogue.attract(digest);
  await poll(async () => (await workers()).map(({ incarnation }) => incarnation)).toContain(rogue.incarnation());
}

async function expectHonestService(): Promise<void> {
  const answer = await create('served');
  expect(answer.status, JSON.stringify(answer.body)).toBe(204);
  expect(await descriptionOf(answer)).toBe('honest');
}

test('the bus lets dispatcher and worker do all that they need', async () => {
  await expectHonestService();
  expect(system.airlock.logs()).not.toMatch(/the bus refused|Permissions Violation/);
});

test('a worker whose key speaks for another name says so and ends, instead of being deaf', async () => {
  const started = startWorker({
    name: 'misnamed',
    natsUrl: system.airlock.nats.url,
    pool: 'default',
    workerId: 'worker-11',
    natsKeyFile: keyFile('default', 'worker-12'),
  });
  await expect(started).rejects.toThrow(/its key speaks for another name or pool/);
});

describe('what the server denies', () => {
  test.for([
    '>',
    'airlock.>',
    'airlock.v1.*.default.worker-12',
    'airlock.v1.assign.default.*',
    'airlock.v1.assign.default.worker-1',
    'airlock.v1.answer.default.worker-1',
    'airlock.v1.cancel.default.worker-1',
    'airlock.v1.assign.other.neighbour',
    'airlock.v1.hello.*.*',
    'airlock.v1.result.>',
    'airlock.v1.call.default.worker-1.*',
    'airlock.v1.fetch.>',
    'airlock.v1.bundle.>',
    'airlock.v1.unheard.>',
    'airlock.v1.changed',
    'airlock.v1.core.>',
    'airlock.v1.egress.>',
    'airlock.v1.egressed.*',
    '_INBOX.>',
    '_R_.>',
    '$SYS.>',
    '$JS.API.>',
  ])('hearing %s', async (subject) => {
    await using rogue = await rogueOf('worker-12');
    let refused: string | undefined;
    rogue.connection.subscribe(subject, {
      callback: (error) => {
        refused ??= error?.message;
      },
    });
    await rogue.connection.flush();
    await poll(() => refused).toContain('Permissions Violation for Subscription');
  });

  test.for([
    'airlock.v1.hello.default.worker-1',
    'airlock.v1.hello.other.worker-12',
    'airlock.v1.hello.other.neighbour',
    'airlock.v1.result.default.worker-1.some',
    'airlock.v1.result.default.worker-12',
    'airlock.v1.result.default.worker-12.some.more',
    'airlock.v1.call.default.worker-1.some',
    'airlock.v1.bundle.default.worker-1.some',
    'airlock.v1.fetch.default.worker-1.some',
    'airlock.v1.assign.default.worker-1',
    'airlock.v1.assign.default.worker-12',
    'airlock.v1.answer.default.worker-1',
    'airlock.v1.cancel.default.worker-1',
    'airlock.v1.unheard.some.run',
    'airlock.v1.changed',
    'airlock.v1.core.anything',
    'airlock.v1.egress.perform',
    'airlock.v1.egress.hello',
    'airlock.v1.egressed.some',
    '_INBOX.some',
    '_R_.some',
    '$SYS.REQ.SERVER.PING',
    '$JS.API.STREAM.CREATE.airlock',
  ])('speaking on %s', async (subject) => {
    await using rogue = await rogueOf('worker-12');
    await rogue.send(subject, rogue.hello());
    await poll(() => rogue.denials).toContain(`publish ${subject}`);
  });

  test('a connection without a key, or with a key of no one', async () => {
    const { url } = system.airlock.nats;
    await expect(connect({ servers: url, reconnect: false })).rejects.toThrow(/Authorization/i);
    await expect(connect({ servers: url, reconnect: false, user: 'worker-1', pass: 'guess' })).rejects.toThrow(/Authorization/i);
  });

  test('a message of two megabytes: the connection is closed', async () => {
    await using rogue = await rogueOf('worker-12');
    const closed = rogue.connection.closed();
    // The client keeps to the limit that the server announced, so the bytes are written past it.
    const inner = rogue.connection as unknown as { protocol: { info: { max_payload: number } } };
    inner.protocol.info.max_payload = 8 * 1024 * 1024;
    rogue.connection.publish(helloSubject(rogue.address), new Uint8Array(2 * 1024 * 1024));
    expect(await closed).toBeInstanceOf(Error);
    await expectHonestService();
  });

  test('a hundred subscriptions of one worker', async () => {
    await using rogue = await rogueOf('worker-12');
    for (let count = 0; count < 100; count++) rogue.connection.subscribe('airlock.v1.assign.default.worker-12', { callback: () => undefined });
    await rogue.connection.flush();
    await poll(() => rogue.denials.join()).toContain('maximum subscriptions exceeded');
  });

  test('a name in another pool: the neighbour is heard in its own pool only, and its key speaks for no other', async () => {
    await using neighbour = await rogueOf(OTHER.workerId, OTHER.pool);
    await neighbour.send(helloSubject({ pool: 'default', workerId: OTHER.workerId }), neighbour.hello());
    await neighbour.send(helloSubject(OTHER), neighbour.hello());
    await poll(async () => (await workers()).filter(({ workerId }) => workerId === OTHER.workerId)).toMatchObject([{ pool: 'other' }]);
    expect(neighbour.denials).toEqual(['publish airlock.v1.hello.default.neighbour']);
    await expectHonestService();
  });
});

describe('executions', () => {
  test('the first answer counts; a second and a different one changes nothing', async () => {
    await using rogue = await rogueOf('worker-2');
    await attract(rogue);
    const answer = create('twice');
    const run = await rogue.next();
    await rogue.result(run, { description: 'first' });
    await rogue.result(run, { description: 'second' });
    const row = await answer;
    await rogue.result(run, { description: 'late' });
    expect(row.status).toBe(204);
    expect(await descriptionOf(row)).toBe('first');
  });

  test('an answer for a run that the dispatcher has given up changes nothing', async () => {
    await using rogue = await rogueOf('worker-3');
    await attract(rogue);
    const answer = create('given up');
    const run = await rogue.next();
    await rogue.pretendRestart();
    expect((await answer).status).toBeGreaterThanOrEqual(500);
    await rogue.result(run, { description: 'late' });
    expect(await named('given up')).toBe(0);
    await expectHonestService();
  });

  test('neither a guessed token, nor that of another execution, nor another run’s id is taken', async () => {
    await using rogue = await rogueOf('worker-4');
    await attract(rogue);
    const answers = [create('one'), create('two')];
    const [one, two] = [await rogue.next(), await rogue.next()];
    const [step] = two.assignment.steps;
    await rogue.result(one, { token: 'A'.repeat(43), description: 'guessed' });
    await rogue.result(one, { token: step?.token ?? '', description: 'of the other' });
    await rogue.result(one, { executionId: step?.executionId ?? '', token: step?.token ?? '', description: 'of the other' });
    await rogue.result(one, { runId: two.assignment.runId, description: 'crossed' });
    await rogue.result(one, { description: 'right' });
    await rogue.result(two, { description: 'right' });
    for (const answer of answers) expect(await descriptionOf(await answer)).toBe('right');
  });

  test('a worker that knows everything of another’s execution cannot answer it, nor call the service for it', async () => {
    await using victim = await rogueOf('worker-5');
    await using thief = await rogueOf('worker-6');
    await attract(victim);
    const answer = create('coveted');
    const run = await victim.next();
    await thief.result(run, { description: 'stolen' });
    await thief.call(run, {}, { op: 'create', table: 'account', attributes: { name: 'made by the thief' } });
    await victim.result(run, { description: 'its own' });
    expect(await descriptionOf(await answer)).toBe('its own');
    expect(thief.answers).toEqual([]);
    expect(await named('made by the thief')).toBe(0);
  });

  test('the reply subject that a worker chooses is never used', async () => {
    await using rogue = await rogueOf('worker-4');
    await attract(rogue);
    const answer = create('confused deputy');
    const run = await rogue.next();
    const [step] = run.assignment.steps;
    const envelope = { version: 1, kind: 'call', executionId: step?.executionId, token: step?.token, callId: 0 };
    const request = { op: 'retrieveMultiple', table: 'account', columns: ['name'], top: 1 };
    const frame = encodeFrame([JSON.stringify(envelope), JSON.stringify(request)]);
    await rogue.send(callSubject(rogue.address, run.assignment.dispatcherId), frame, { reply: 'airlock.v1.cancel.default.worker-1' });
    await poll(() => rogue.answers.length).toBe(1);
    await rogue.result(run);
    expect((await answer).status).toBe(204);
  });
});

describe('service calls', () => {
  const make = (name: string) => ({ op: 'create', table: 'account', attributes: { name } });

  test('a call number is used once: a replay writes nothing', async () => {
    await using rogue = await rogueOf('worker-7');
    await attract(rogue);
    // A table without steps, so that the call itself starts no run.
    const answer = create('replays');
    const run = await rogue.next();
    const task = { op: 'create', table: 'task', attributes: { subject: 'once' } };
    for (let count = 0; count < 5; count++) await rogue.call(run, { callId: 3 }, task);
    await rogue.call(run, { callId: 2 }, task);
    await poll(() => rogue.answers.length).toBe(1);
    await rogue.result(run);
    expect((await answer).status).toBe(204);
    const tasks = await system.http.request('GET', `tasks?$select=subject&$filter=subject eq 'once'`);
    expect(tasks.body).toMatchObject({ value: [{ subject: 'once' }] });
  });

  test('no call after the end, with another token, or for an execution that is not running there', async () => {
    await using rogue = await rogueOf('worker-8');
    await attract(rogue);
    const answer = create('ended');
    const run = await rogue.next();
    await rogue.call(run, { token: 'A'.repeat(43) }, make('with a guessed token'));
    await rogue.call(run, { executionId: 'B'.repeat(22) }, make('for nobody'));
    await rogue.result(run);
    expect((await answer).status).toBe(204);
    await rogue.call(run, { callId: 9 }, make('after the end'));
    await rogue.pretendRestart();
    await expectHonestService();
    for (const name of ['with a guessed token', 'for nobody', 'after the end']) expect(await named(name)).toBe(0);
    expect(rogue.answers).toEqual([]);
  });

  test('another table, another user and nonsense are answered by faults, as for any plug-in', async () => {
    await using rogue = await rogueOf('worker-9');
    await attract(rogue);
    const answer = create('faults');
    const run = await rogue.next();
    const requests = [
      { op: 'retrieveMultiple', table: 'bundle', columns: ['code'] },
      { op: 'retrieveMultiple', table: 'airlock.api_key' },
      { op: 'create', table: 'account', attributes: { name: 'x' }, as: '11111111-1111-4111-8111-111111111111' },
      { op: 'create', table: 'account', attributes: { name: 'x' }, as: 'root' },
      { op: 'execute', message: 'DropEverything' },
      { op: 'nothing' },
      null,
    ];
    for (const [callId, request] of requests.entries()) await rogue.call(run, { callId }, request);
    await poll(() => rogue.answers.length).toBe(requests.length);
    for (const text of rogue.answers) expect(JSON.parse(text.split('\n')[0] ?? '')).toMatchObject({ kind: 'answer', ok: false });
    await rogue.result(run);
    expect((await answer).status).toBeLessThan(500);
  });
});

describe('bundles', () => {
  test('only those of a run that it has, and only while it has it', async () => {
    await using rogue = await rogueOf('worker-10');
    await attract(rogue);
    const ask = (dispatcherId: string, requestId: string, wanted: string) =>
      rogue.send(
        bundleSubject(rogue.address, dispatcherId),
        JSON.stringify({ version: 1, kind: 'bundle', requestId, digest: wanted, part: 'code', chunk: 0 }),
      );
    const answer = create('bundles');
    const run = await rogue.next();
    const { dispatcherId } = run.assignment;
    await ask(dispatcherId, 'entitled', digest);
    await ask(dispatcherId, 'stranger', 'ab'.repeat(32));
    await poll(() => rogue.answers.length).toBe(2);
    await rogue.result(run);
    expect((await answer).status).toBe(204);
    await ask(dispatcherId, 'afterwards', digest);
    await poll(() => rogue.answers.length).toBe(3);
    const chunks = rogue.answers.map((text) => JSON.parse(text.split('\n')[0] ?? '') as { requestId: string; chunks: number });
    expect(Object.fromEntries(chunks.map(({ requestId, chunks: count }) => [requestId, count]))).toEqual({ entitled: 1, stranger: 0, afterwards: 0 });
  });
});

describe('floods and nonsense', () => {
  const isQuarantined = (workerId: string) =>
    dispatcherLog().some((line) => line.includes('is ignored for a while') && line.includes(`"workerId":"${workerId}"`));
  const residentBytes = () => {
    const pid = system.airlock.dispatchers[0]?.process.pid ?? 0;
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
  };
  /** A run of this worker, so that it knows a dispatcher to send its flood to. */
  async function dispatcherOf(rogue: Rogue): Promise<string> {
    await attract(rogue);
    const answer = create('first of a flood');
    const run = await rogue.next();
    await rogue.result(run);
    expect((await answer).status).toBe(204);
    return run.assignment.dispatcherId;
  }

  test('a flood of every kind: the worker is ignored, the log stays short, the honest one keeps serving', async () => {
    await using rogue = await rogueOf('worker-11');
    const dispatcherId = await dispatcherOf(rogue);
    await rogue.pretendRestart();
    const before = residentBytes();
    const nobody = 'C'.repeat(22);
    const megabyte = 'x'.repeat(900_000);
    const kinds: readonly (readonly [string, string, number])[] = [
      [helloSubject(rogue.address), rogue.hello({ draining: true }), 5_000],
      [callSubject(rogue.address, dispatcherId), JSON.stringify({ version: 1, kind: 'call', executionId: nobody, token: nobody, callId: 0 }), 5_000],
      [resultSubject(rogue.address, dispatcherId), JSON.stringify({ version: 1, kind: 'busy', runId: nobody, draining: false }), 5_000],
      [bundleSubject(rogue.address, dispatcherId), JSON.stringify({ version: 1, kind: 'bundle' }), 5_000],
      [resultSubject(rogue.address, dispatcherId), megabyte, 100],
      [helloSubject(rogue.address), megabyte, 100],
    ];
    const served: Promise<HttpAnswer>[] = [];
    for (const [subject, payload, count] of kinds) {
      for (let sent = 0; sent < count; sent++) rogue.connection.publish(subject, payload);
      await rogue.connection.flush();
      served.push(create('meanwhile'));
    }
    await poll(() => isQuarantined('worker-11')).toBe(true);
    expect((await workers()).map(({ workerId }) => workerId)).not.toContain('worker-11');
    for (const answer of await Promise.all([...served, ...Array.from({ length: 10 }, () => create('after'))])) expect(answer.status).toBe(204);
    expect(dispatcherLog().filter((line) => line.includes('"workerId":"worker-11"')).length).toBeLessThan(20);
    expect(residentBytes() - before).toBeLessThan(256 * 1024 * 1024);
  });

  test('a worker that says it is free and refuses everything does not keep the others from working', async () => {
    await using rogue = await rogueOf('worker-10');
    await attract(rogue);
    const answers = Array.from({ length: 5 }, () => create('refused'));
    let refused = 0;
    const refuse = async (): Promise<never> => {
      for (;;) {
        const { assignment } = await rogue.next();
        refused += 1;
        const busy = { version: 1, kind: 'busy', runId: assignment.runId, draining: false };
        await rogue.send(resultSubject(rogue.address, assignment.dispatcherId), JSON.stringify(busy));
      }
    };
    void refuse();
    for (const answer of await Promise.all(answers)) expect(await descriptionOf(answer)).toBe('honest');
    expect(refused).toBeGreaterThan(0);
  });

  test('a worker that takes runs and never answers is left alone after a few of them', async () => {
    await using rogue = await rogueOf('worker-9');
    await attract(rogue);
    const taken = await Promise.all(Array.from({ length: 8 }, () => create('swallowed')));
    expect(taken.filter(({ status }) => status === 503).length).toBeGreaterThanOrEqual(5);
    await poll(() => isQuarantined('worker-9')).toBe(true);
    await expectHonestService();
  });

  test('a worker that lies about a run again and again is not believed when it tells the truth', async () => {
    await using rogue = await rogueOf('worker-12');
    await attract(rogue);
    const answer = create('some wrong answers');
    const run = await rogue.next();
    for (let count = 0; count < 4; count++) await rogue.result(run, { token: `${count}`.padEnd(43, 'A'), description: 'forged' });
    await rogue.result(run, { description: 'right' });
    expect(await descriptionOf(await answer)).toBe('right');
    const next = create('after the lies');
    const second = await rogue.next();
    for (let count = 0; count < 10; count++) await rogue.result(second, { token: `${count}`.padEnd(43, 'B'), description: 'forged' });
    await rogue.result(second, { description: 'too late' });
    expect((await next).status).toBe(503);
    await poll(() => isQuarantined('worker-12')).toBe(true);
    await expectHonestService();
  });

  test('whatever bytes a worker sends, on whatever subject it may, nothing falls over', async () => {
    const json = fc.json({ depthSize: 'medium' });
    const nested = fc.integer({ min: 1, max: 50_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth));
    const envelope = fc
      .record({
        version: fc.constantFrom<unknown>(1, 2, '1', null),
        kind: fc.constantFrom('hello', 'ran', 'busy', 'inspected', 'call', 'bundle', '__proto__'),
        runId: fc.string({ maxLength: 70 }),
        executionId: fc.string({ maxLength: 70 }),
        token: fc.string({ maxLength: 70 }),
        callId: fc.oneof(fc.integer(), fc.double(), fc.string()),
        outcomes: fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 40 }),
        types: fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 }),
      })
      .map((value) => JSON.stringify(value));
    const lines = fc.array(fc.oneof(json, fc.string({ unit: 'binary' })), { maxLength: 70 }).map((texts) => texts.join('\n'));
    const payload = fc.oneof(fc.uint8Array({ maxLength: 2_000 }), json, nested, envelope, lines);
    await using stack = new AsyncDisposableStack();
    const rogues: Rogue[] = [];
    for (const id of ['worker-2', 'worker-3', 'worker-4', 'worker-6', 'worker-7', 'worker-8']) rogues.push(stack.use(await rogueOf(id)));
    const [first] = rogues;
    if (first === undefined) throw new Error('there is a rogue');
    const dispatcherId = await dispatcherOf(first);
    await first.pretendRestart();
    const subjectsOf = ({ address }: Rogue) => [
      helloSubject(address),
      resultSubject(address, dispatcherId),
      callSubject(address, dispatcherId),
      bundleSubject(address, dispatcherId),
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...rogues), fc.nat(3), payload, async (rogue, which, bytes) => {
        await rogue.send(subjectsOf(rogue)[which] ?? '', bytes);
      }),
      { numRuns: 800 },
    );
    await expectHonestService();
    expect(dispatcherLog().filter((line) => /uncaught|unhandled|TypeError|Maximum call stack/i.test(line))).toEqual([]);
  });
});

test('an honest worker under load commits no offence', async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => create('load')));
  expect(answers.filter(({ status }) => status !== 204)).toEqual([]);
  const offences = dispatcherLog().filter((line) => line.includes('a message of a worker was refused') && line.includes('"workerId":"worker-1"'));
  expect(offences).toEqual([]);
});
