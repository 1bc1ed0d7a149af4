import { expect, test } from 'vitest';
import { evaluate, runBundle } from '../test-support/guest-isolate.ts';

const plugin = (body: string): string => `module.exports = { async execute(ctx) { ${body} } };`;

test('the service methods post the requests of the protocol', async () => {
  const { posts, end } = await runBundle(
    plugin(`
      const id = await ctx.organizationService.create('account', { name: 'A', when: new Date(0) });
      await ctx.systemService.retrieve('account', id, ['name']);
      await ctx.serviceFor('u1').update('account', id, { name: 'B' }, { rowVersion: 3 });
      await ctx.organizationService.delete('account', id);
      await ctx.organizationService.retrieveMultiple({ table: 'account', conditions: [{ column: 'name', operator: 'eq', value: 'A' }], top: 5 });
      await ctx.organizationService.execute('Close', { reason: 1 });
      await ctx.organizationService.create({ logicalName: 'task', attributes: {} });
      ctx.tracing.trace(id);`),
    { answer: () => ({ ok: true, text: '{"id":"42"}' }) },
  );
  expect(end?.kind).toBe('done');
  expect(posts.filter((post) => post.kind === 'service').map((post) => JSON.parse(post.text) as unknown)).toEqual([
    { op: 'create', table: 'account', attributes: { name: 'A', when: '1970-01-01T00:00:00.000Z' } },
    { op: 'retrieve', as: 'SYSTEM', table: 'account', id: '42', columns: ['name'] },
    { op: 'update', as: 'u1', table: 'account', id: '42', attributes: { name: 'B' }, rowVersion: 3 },
    { op: 'delete', table: 'account', id: '42' },
    { op: 'retrieveMultiple', table: 'account', conditions: [{ column: 'name', operator: 'eq', value: 'A' }], top: 5 },
    { op: 'execute', message: 'Close', parameters: { reason: 1 } },
    { op: 'create', table: 'task', attributes: {} },
  ]);
  expect(posts.find((post) => post.kind === 'trace')?.text).toBe('42');
});

const fault = {
  code: '0x80040217',
  errorCode: -2147220969,
  message: 'account with id no-such-id does not exist',
  httpStatus: 404,
  retriable: false,
  traceId: 'abc',
};

test('a failed service call is an OrganizationServiceFault with the place of the call in its stack', async () => {
  const body = `async function inner() { await ctx.organizationService.retrieve('account', 'no-such-id'); }\ntry { await inner(); } catch (e) { return [e instanceof OrganizationServiceFault, e instanceof Error, e.name, e.code, e.errorCode, e.message, e.httpStatus, e.retriable, e.traceId, e.stack]; }`;
  const seen = (await evaluate(body, { answer: () => ({ ok: false, text: JSON.stringify(fault) }) })) as unknown[];
  expect(seen.slice(0, 9)).toEqual([true, true, 'OrganizationServiceFault', fault.code, fault.errorCode, fault.message, 404, false, 'abc']);
  expect(seen[9]).toMatch(/^OrganizationServiceFault: account with id no-such-id does not exist\n {4}at (?:async )?inner \(bundle\.js:/);
  expect(seen[9]).not.toContain('guest-runtime');
});

test('a service fault that is not caught is unexpected, also under the name of a rejection', async () => {
  const code = plugin(`try { await ctx.organizationService.retrieve('a', 'b'); } catch (e) { e.name = 'InvalidPluginExecutionException'; throw e; }`);
  const { end } = await runBundle(code, { answer: () => ({ ok: false, text: JSON.stringify(fault) }) });
  expect(end?.kind).toBe('thrown');
  expect(JSON.parse(end?.text ?? '')).not.toHaveProperty('rejection');
});

test('a call that the host refuses is an Error with its public text', async () => {
  const seen = await evaluate(`try { await ctx.organizationService.retrieve('a', 'b'); } catch (e) { return [e.name, e.message]; }`, {
    answer: () => ({ refused: 'The worker shuts down.' }),
  });
  expect(seen).toEqual(['Error', 'The worker shuts down.']);
});

test('calls beyond those allowed at once wait in the guest', async () => {
  let open = 0;
  let most = 0;
  const { end, posts } = await runBundle(
    plugin(`await Promise.all(Array.from({ length: 100 }, (_, i) => ctx.organizationService.create('a', { i })));`),
    {
      limits: { hostCallsInFlight: 8 },
      answer: () => {
        most = Math.max(most, (open += 1));
        open -= 1;
        return { ok: true, text: '{"id":"1"}' };
      },
    },
  );
  expect(end?.kind).toBe('done');
  expect(most).toBe(1);
  const firstAnswered = posts.slice(0, 8).every((post) => post.kind === 'service');
  expect([firstAnswered, posts.filter((post) => post.kind === 'service').length]).toEqual([true, 100]);
});

test('at most as many calls as allowed at once are posted before one is answered', async () => {
  const { posts, end } = await runBundle(plugin(`await Promise.all(Array.from({ length: 100 }, () => ctx.organizationService.create('a', {})));`), {
    limits: { hostCallsInFlight: 8 },
    answer: () => undefined,
  });
  expect([posts.length, end]).toEqual([8, undefined]);
});

test('one call more than allowed ends the execution, whatever the plug-in catches', async () => {
  const { posts, end } = await runBundle(plugin(`for (;;) { try { await ctx.organizationService.retrieve('a', 'b'); } catch {} }`), {
    limits: { hostCalls: 5 },
  });
  expect(posts.filter((post) => post.kind === 'service')).toHaveLength(5);
  expect(end).toEqual({ kind: 'limit', id: 0, text: 'host-calls' });
});

test('the budget is checked after the toJSON of an argument ran', async () => {
  const body = `await ctx.organizationService.create('a', { toJSON() { ctx.organizationService.create('b', {}); ctx.organizationService.create('c', {}); return {}; } });`;
  const { posts, end } = await runBundle(plugin(body), { limits: { hostCalls: 2 } });
  expect(posts.filter((post) => post.kind === 'service')).toHaveLength(2);
  expect(end?.kind).toBe('limit');
});

test('a call that carries too much is refused before it is posted', async () => {
  const { posts, end } = await runBundle(plugin(`await ctx.organizationService.create('a', { name: 'é'.repeat(600) });`), {
    limits: { hostCallBytes: 1_000 },
  });
  expect(posts.some((post) => post.kind === 'service')).toBe(false);
  expect(JSON.parse(end?.text ?? '')).toMatchObject({ error: { name: 'RangeError', message: expect.stringContaining('1000 bytes') as unknown } });
});

test('own keys named like parts of a prototype travel as attributes', async () => {
  const { posts } = await runBundle(
    plugin(`await ctx.organizationService.create('a', JSON.parse('{"__proto__":{"x":1},"constructor":{"prototype":{}},"then":"x"}'));`),
  );
  expect(posts[0]?.text).toBe('{"op":"create","table":"a","attributes":{"__proto__":{"x":1},"constructor":{"prototype":{}},"then":"x"}}');
});

test('limits say what is left', async () => {
  expect(
    await evaluate(
      `const before = ctx.limits.remaining(); await ctx.organizationService.retrieve('a', 'b'); return [before, ctx.limits.remaining(), ctx.limits.hostCalls];`,
    ),
  ).toEqual([{ hostCalls: 500, ms: 2_000 }, { hostCalls: 499, ms: 1_999 }, 500]);
});

test('traces stream up to their budget, then the newest are kept for the end', async () => {
  const { traces, end } = await runBundle(plugin(`for (let i = 0; i < 10000; i++) console.log('line ' + i);`), { limits: { traceBytes: 2_000 } });
  expect(end?.kind).toBe('done');
  expect(traces[0]).toBe('line 0');
  expect(traces.at(-1)).toBe('line 9999');
  expect(traces.some((line) => /^\[\d+ trace lines left out\]$/.test(line))).toBe(true);
  expect(traces.join('').length).toBeLessThan(10_000);
});

test('one trace line is cut to the budget', async () => {
  const { traces } = await runBundle(plugin(`ctx.tracing.trace('ü'.repeat(1e5), { a: [1, new Map([[1, 2]])] });`), { limits: { traceBytes: 1_000 } });
  expect(Buffer.byteLength(traces.join(''))).toBeLessThanOrEqual(1_000);
});

test('console and tracing write what an author would read', async () => {
  const { traces } = await runBundle(
    plugin(
      `ctx.tracing.trace('a', 1, null, { b: [1, 'x'], c: new Set([1]) }); console.error('%s is %d%%', 'x', 5, { y: 1n }); const o = {}; o.o = o; console.log(o, new Proxy({}, { ownKeys() { throw 1; } }));`,
    ),
  );
  expect(traces).toEqual([`a 1 null { b: [1, "x"], c: Set(1) {1} }`, 'error: x is 5% { y: 1n }', '{ o: [circular] } [not readable]']);
});

const stage = { messageName: 'Update', stage: 20, depth: 2, primaryEntityName: 'account', parentContext: null };
const state = {
  inputParameters: { Target: { logicalName: 'account', attributes: { name: 'A' } } },
  outputParameters: {},
  sharedVariables: { kept: 1 },
};
const own = {
  userId: 'u',
  preEntityImages: { pre: { logicalName: 'account', attributes: { name: 'old' } } },
  postEntityImages: {},
  configuration: { unsecure: 'u', secure: 's' },
};

test('the context lays the three texts over each other, and only the collections can be changed', async () => {
  const body = `const { executionContext: x } = ctx; const tries = [() => { x.depth = 9; }, () => { x.preEntityImages.pre.attributes.name = 'new'; }, () => { ctx.organizationService.create = 1; }, () => { x.inputParameters = {}; }].map((t) => { try { (0, t)(); return 'quiet'; } catch (e) { return e.name; } });
    ctx.target.attributes.name = 'B'; x.sharedVariables.more = [1];
    return [x.messageName, x.depth, x.userId, 'configuration' in x, ctx.preImages.pre.attributes.name, ctx.configuration, tries.length];`;
  const { end } = await runBundle(`module.exports = { async execute(ctx) { ctx.executionContext.outputParameters.r = (() => { ${body} })(); } };`, {
    stage,
    state,
    own,
  });
  expect(JSON.parse(end?.text ?? '')).toEqual({
    inputParameters: { Target: { logicalName: 'account', attributes: { name: 'B' } } },
    outputParameters: { r: ['Update', 2, 'u', false, 'old', { unsecure: 'u', secure: 's' }, 4] },
    sharedVariables: { kept: 1, more: [1] },
  });
});

test('a state that is too large or no JSON is an error of the plug-in', async () => {
  const large = await runBundle(plugin(`ctx.executionContext.sharedVariables.x = 'x'.repeat(2000);`), { limits: { stateBytes: 1_000 } });
  expect(JSON.parse(large.end?.text ?? '')).toMatchObject({ error: { name: 'RangeError' } });
  const cyclic = await runBundle(plugin(`const s = ctx.executionContext.sharedVariables; s.s = s;`));
  expect(JSON.parse(cyclic.end?.text ?? '')).toMatchObject({ error: { name: 'TypeError' } });
});

test('the end is posted once and nothing after it', async () => {
  const { posts } = await runBundle(
    plugin(
      `setTimeout(() => { throw new Error('late'); }, 1); Promise.resolve().then(() => Promise.resolve()).then(() => console.log('late')); return 'ignored';`,
    ),
  );
  expect(posts.filter((post) => post.kind !== 'timer').map((post) => post.kind)).toEqual(['done']);
});

test('what a timer callback or a microtask throws ends the execution', async () => {
  for (const body of [
    `setTimeout(() => { throw new Error('inner'); }, 1); await new Promise(() => {});`,
    `queueMicrotask(() => { throw new Error('inner'); }); await new Promise(() => {});`,
  ]) {
    const { end } = await runBundle(plugin(body));
    expect(JSON.parse(end?.text ?? '')).toMatchObject({ error: { message: 'inner' } });
  }
});
