/** The rows of design §4 for synchronous steps: what the caller reads, what the trace log keeps, and that the worker serves on. */
import { expect, test } from 'vitest';
import type { HttpAnswer } from '../support/http.ts';
import { errorOf, traceIdOf, usePluginSystem } from '../support/plugin-system.ts';

const system = usePluginSystem();

const ANNOTATED = { prefer: 'odata.include-annotations="*"' };

const MiB = 1024 * 1024;

/** Breaks on the account "Break", is harmless on any other. */
const breaking = (statements: string, step = '') => `
  export const breaking = definePlugin({
    steps: [{ name: 'the breaking step', message: 'Create', table: 'account', stage: 'PostOperation', ${step} }],
    async execute({ target, tracing, organizationService, executionContext }) {
      if (target.attributes.name !== 'Break') return;
      tracing.trace('it begins');
      ${statements}
    },
  });`;

interface Expected {
  readonly status: number;
  readonly code: string;
  readonly message: RegExp;
  readonly kind: string;
  readonly retriable?: boolean;
}

async function expectFailure(answer: HttpAnswer, { status, code, message, kind, retriable = false }: Expected): Promise<void> {
  const error = errorOf(answer);
  expect({ status: answer.status, code: error.code }).toEqual({ status, code });
  expect(error.message).toMatch(message);
  expect(error['@Airlock.Retriable']).toBe(String(retriable));
  expect(answer.headers.has('retry-after')).toBe(retriable);
  const [row] = await system.traces(answer, 1);
  expect(row).toMatchObject({ traceid: traceIdOf(answer), failurekind: kind, errorcode: code, stepname: 'the breaking step' });
  expect(error.message).toContain(row?.reference);
  expect(error['@Airlock.TraceId']).toBe(traceIdOf(answer));
}

async function breakWith(source: string): Promise<HttpAnswer> {
  await system.install(source);
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'Break' }, headers: ANNOTATED });
  expect(await system.sql`select 1 from data.account where name = 'Break'`).toHaveLength(0);
  // Whatever it was: the next execution finds a healthy sandbox.
  expect((await system.http.request('POST', 'accounts', { body: { name: 'Next' } })).status).toBe(204);
  return answer;
}

test('an unexpected error: general text to the caller, message and stack in the author’s file and line in the trace log', async () => {
  const source = `
function innermost(value) {
  return value.missing.member;
}
const breaks = () => innermost({});
export const breaking = definePlugin({
  steps: [{ name: 'the breaking step', message: 'Create', table: 'account', stage: 'PostOperation' }],
  execute({ target }) {
    if (target.attributes.name !== 'Break') return;
    breaks();
  },
});`;
  const answer = await breakWith(source);
  await expectFailure(answer, {
    status: 500,
    code: '0x80040224',
    message: /^An unexpected error occurred from ISV code\. Reference: [0-9a-f]{8}\.$/,
    kind: 'plug-in/unexpected',
  });
  const details = (await system.traces(answer, 1))[0]?.exceptiondetails ?? '';
  expect(details).toMatch(/^TypeError: Cannot read properties of undefined \(reading 'member'\)\n/);
  // The import of the SDK is line 1, the source begins on the next one.
  const frames = details.split('\n').slice(1, 4);
  expect(frames[0]).toMatch(/innermost \(.*src\/index\.ts:4:24\)/);
  expect(frames[1]).toMatch(/src\/index\.ts:6:22/);
  expect(frames[2]).toMatch(/src\/index\.ts:11:5/);
  expect(JSON.stringify(answer.body)).not.toContain('index.ts');
});

test('a step that takes longer than its wall limit is stopped, and the error names limit and step', async () => {
  const answer = await breakWith(breaking('await new Promise((resolve) => setTimeout(resolve, 60_000));', 'limits: { wallMs: 700 }'));
  await expectFailure(answer, {
    status: 500,
    code: '0x80081111',
    message: /^The plug-in step "the breaking step" ran longer than its limit of 700 ms and was stopped\./,
    kind: 'sandbox/deadline',
  });
  expect((await system.traces(answer, 1))[0]?.messageblock).toContain('it begins');
});

test('a step that uses more CPU time than its limit is stopped', async () => {
  const answer = await breakWith(breaking('for (;;);', 'limits: { wallMs: 30_000, cpuMs: 600 }'));
  await expectFailure(answer, {
    status: 500,
    code: '0x8008f001',
    message: /"the breaking step" used more than its limit of 600 ms of CPU time/,
    kind: 'sandbox/cpu',
  });
});

test('a step that fills the heap is stopped', async () => {
  const statements = "const all = []; for (;;) all.push(new Array(1000).fill(all.length).join('-'));";
  const answer = await breakWith(breaking(statements, `limits: { heapBytes: ${32 * MiB} }`));
  await expectFailure(answer, {
    status: 500,
    code: '0x8008f002',
    message: new RegExp(`"the breaking step" used more than its limit of ${32 * MiB} bytes of heap memory`),
    kind: 'sandbox/memory',
  });
});

test('a step that fills memory outside of the heap is stopped', async () => {
  const statements = `const all = []; for (;;) all.push(new Uint8Array(${4 * MiB}).fill(1));`;
  const answer = await breakWith(
    breaking(statements, `limits: { heapBytes: ${256 * MiB}, residentBytes: ${192 * MiB}, wallMs: 20_000, cpuMs: 20_000 }`),
  );
  await expectFailure(answer, {
    status: 500,
    code: '0x8008f002',
    message: /"the breaking step" used more than its limit of \d+ bytes of (resident|heap) memory/,
    kind: 'sandbox/memory',
  });
});

test('a step that makes more host calls than its limit is stopped', async () => {
  const statements = "for (;;) await organizationService.retrieveMultiple({ table: 'task', top: 1 }).catch(() => undefined);";
  const answer = await breakWith(breaking(statements, 'limits: { hostCalls: 3 }'));
  await expectFailure(answer, {
    status: 500,
    code: '0x8008f003',
    message: /"the breaking step" made more than its limit of 3 host calls/,
    kind: 'sandbox/host-calls',
  });
});

test('a step that leaves state behind that nobody may read is stopped as a breach of the protocol', async () => {
  const statements = 'let deep = {}; for (let level = 0; level < 200; level++) deep = { deep }; executionContext.sharedVariables.deep = deep;';
  const answer = await breakWith(breaking(statements));
  await expectFailure(answer, {
    status: 500,
    code: '0x8008f004',
    message: /"the breaking step" broke the protocol of the sandbox/,
    kind: 'sandbox/protocol',
  });
});

test('a step that never ends although nothing is under way is stopped as well', async () => {
  const answer = await breakWith(breaking('await new Promise(() => undefined);', 'limits: { wallMs: 2_000 }'));
  expect(answer.status).toBe(500);
  expect(errorOf(answer).message).toContain('the breaking step');
  const [row] = await system.traces(answer, 1);
  expect(row?.failurekind).toMatch(/^sandbox\//);
});

test('a trace that passes its limit keeps head and tail, with a mark between them', async () => {
  const statements = "for (let line = 0; line < 5_000; line++) tracing.trace(`line ${line} ${'x'.repeat(50)}`); throw new Error('after much talk');";
  const answer = await breakWith(breaking(statements));
  const [row] = await system.traces(answer, 1);
  const text = row?.messageblock ?? '';
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(64 * 1024);
  expect(text.startsWith('it begins\nline 0 ')).toBe(true);
  expect(text.includes('line 4999 ')).toBe(true);
  expect(text.includes('line 2500 ')).toBe(false);
  expect(text.match(/\n… \d+ bytes of trace left out …\n/g)).toHaveLength(1);
  expect(row?.['messageblocktruncated']).toBe(true);
});

test('the trace log keeps nothing, failures, or everything, as it is set', async () => {
  await system.install(`
    export const either = definePlugin({
      steps: [{ message: 'Create', table: 'account', stage: 'PreOperation' }],
      execute({ target }) { if (target.attributes.name === 'Break') throw new InvalidPluginExecutionException('no'); },
    });`);
  const operations = async () => {
    const good = await system.http.request('POST', 'accounts', { body: { name: 'Fine' } });
    const bad = await system.http.request('POST', 'accounts', { body: { name: 'Break' } });
    return { good: traceIdOf(good), bad: traceIdOf(bad) };
  };
  const kept = async (ids: readonly string[]) =>
    (await system.sql<{ traceid: string }[]>`select traceid from airlock.plugintracelog where traceid in ${system.sql(ids)}`).map(
      ({ traceid }) => traceid,
    );
  try {
    await system.settings({ pluginTraceLogSetting: 0 });
    const off = await operations();
    await system.settings({ pluginTraceLogSetting: 1 });
    const exception = await operations();
    await system.settings({ pluginTraceLogSetting: 2 });
    const all = await operations();
    const ids = [off, exception, all].flatMap(({ good, bad }) => [good, bad]);
    // Rows of successes are written later and in order: the last one says that all are there.
    await expect.poll(() => kept([all.good]), { timeout: 10_000 }).toHaveLength(1);
    expect(new Set(await kept(ids))).toEqual(new Set([exception.bad, all.good, all.bad]));
  } finally {
    await system.settings({ pluginTraceLogSetting: 2 });
  }
});
