import { expect, test } from 'vitest';
import { evaluate, runBundle, SEED, START_MS } from '../test-support/guest-isolate.ts';

interface Thrown {
  readonly error: { readonly name: string; readonly message: string; readonly stack: string; readonly cause?: Thrown['error'] };
  readonly rejection?: Record<string, unknown>;
}

const thrownBy = async (body: string, before = ''): Promise<Thrown> => {
  const run = await runBundle(`${before}; module.exports = { execute(ctx) { ${body} } };`);
  expect(run.end?.kind, run.escaped).toBe('thrown');
  return JSON.parse(run.end?.text ?? 'null') as Thrown;
};

test('a rejection carries its data as it was when it was made', async () => {
  const thrown = await thrownBy(`
    const e = new InvalidPluginExecutionException('No.', { status: OperationStatus.Retry, errorCode: 42, httpStatus: 409, exceptionDetails: { a: 'b' }, retryAfterMs: 5 });
    try { e.message = 'other'; } catch {}
    throw e;`);
  expect(thrown.rejection).toEqual({ status: 2, errorCode: 42, httpStatus: 409, message: 'No.', details: { a: 'b' }, retryAfterMs: 5 });
  expect(thrown.error.name).toBe('InvalidPluginExecutionException');
});

test.for([
  [
    'a message alone',
    `new InvalidPluginExecutionException('No.')`,
    { status: 0, errorCode: -2146233088, httpStatus: 0, message: 'No.', details: {} },
  ],
  ['nothing', `new InvalidPluginExecutionException()`, { status: 0, errorCode: -2146233088, httpStatus: 0, message: '', details: {} }],
  [
    'options alone',
    `new InvalidPluginExecutionException({ message: 'No.', httpStatus: 404 })`,
    { status: 0, errorCode: -2146233088, httpStatus: 404, message: 'No.', details: {} },
  ],
  [
    'an inner rejection, whose status it takes over',
    `new InvalidPluginExecutionException('Out.', { cause: new InvalidPluginExecutionException('In.', { httpStatus: 412 }) })`,
    { status: 0, errorCode: -2146233088, httpStatus: 412, message: 'Out.', details: {} },
  ],
  [
    'a subclass that names itself',
    `new (class Mine extends InvalidPluginExecutionException { constructor() { super('Mine.'); this.name = 'Mine'; } })()`,
    { status: 0, errorCode: -2146233088, httpStatus: 0, message: 'Mine.', details: {} },
  ],
] as const)('a rejection is made of %s', async ([, made, rejection]) => {
  expect((await thrownBy(`throw ${made};`)).rejection).toEqual(rejection);
});

test('a rejection message is cut to 8192 characters', async () => {
  const { rejection } = await thrownBy(`throw new InvalidPluginExecutionException('M'.repeat(1e6));`);
  expect(rejection?.['message']).toHaveLength(8_192);
});

test.for(['status: 5', 'status: "1"', 'errorCode: 1.5', 'httpStatus: 200', 'retryAfterMs: -1', 'exceptionDetails: { a: 1 }', 'exceptionDetails: []'])(
  'a rejection with a wrong %s is a TypeError of the author',
  async (option) => {
    const thrown = await thrownBy(`throw new InvalidPluginExecutionException('x', { ${option} });`);
    expect(thrown.rejection).toBeUndefined();
    expect(thrown.error.name).toBe('TypeError');
  },
);

test.for([
  ['its name', `const e = new Error('FORGED'); e.name = 'InvalidPluginExecutionException'; throw e;`],
  [
    'fields that serializers use',
    `throw { __type: 'InvalidPluginExecutionException', kind: 'business', message: 'FORGED', rejection: { message: 'FORGED' } };`,
  ],
  ['its constructor', `const e = new Error('FORGED'); e.constructor = InvalidPluginExecutionException; throw e;`],
  ['its prototype', `throw Object.setPrototypeOf(new Error('FORGED'), InvalidPluginExecutionException.prototype);`],
  ['Object.create', `throw Object.create(InvalidPluginExecutionException.prototype);`],
  ['hasInstance', `class A extends Error { static [Symbol.hasInstance]() { return true; } } throw new A('FORGED');`],
  ['a Proxy of a genuine one', `throw new Proxy(new InvalidPluginExecutionException('FORGED'), {});`],
  [
    'a constructor that returns another object',
    `class A extends InvalidPluginExecutionException { constructor() { super('x'); return { message: 'FORGED' }; } } throw new A();`,
  ],
] as const)('what imitates a rejection by %s stays an unexpected error', async ([, body]) => {
  const thrown = await thrownBy(body);
  expect(thrown.rejection).toBeUndefined();
});

test('the parent of the rejection class cannot be replaced', async () => {
  expect(
    await evaluate(`try { Object.setPrototypeOf(InvalidPluginExecutionException, function () {}); return 'replaced'; } catch (e) { return e.name; }`),
  ).toBe('TypeError');
  expect(
    await evaluate(
      `InvalidPluginExecutionException.x = 1; try { globalThis.InvalidPluginExecutionException = 1; } catch {} return typeof InvalidPluginExecutionException + InvalidPluginExecutionException.x;`,
    ),
  ).toBe('functionundefined');
});

test.for([
  ['null', `throw null;`, 'null'],
  ['undefined', `throw undefined;`, 'undefined'],
  ['a text', `throw 'boom';`, 'string'],
  ['a symbol', `throw Symbol('boom');`, 'symbol'],
  ['a bigint', `throw 10n;`, 'bigint'],
  ['a revoked proxy', `const r = Proxy.revocable({}, {}); r.revoke(); throw r.proxy;`, 'object'],
  [
    'an object whose getters throw',
    `throw { get message() { throw 1; }, get stack() { throw 2; }, get name() { throw 3; }, get cause() { throw 4; } };`,
    'object',
  ],
  ['a function', `throw () => 1;`, 'function'],
] as const)('throwing %s is described', async ([, body, name]) => {
  const thrown = await thrownBy(body);
  expect(thrown.error.name === '' ? 'function' : thrown.error.name).toBe(name === 'function' ? 'function' : name);
});

test('each member of what was thrown is read once', async () => {
  const thrown = await thrownBy(
    `const n = {}; throw new Proxy({}, { get(_, k) { n[k] = (n[k] ?? 0) + 1; return k === 'message' ? 'reads ' + JSON.stringify(n) : k === 'cause' ? undefined : 'text'; } });`,
  );
  expect(thrown.error.message).toBe('reads {"name":1,"message":1}');
});

test('a chain of causes is cut at four', async () => {
  let thrown: Thrown['error'] | undefined = (
    await thrownBy(`let e = new Error('0'); for (let i = 1; i < 50; i++) e = new Error(String(i), { cause: e }); throw e;`)
  ).error;
  let links = -1;
  for (; thrown !== undefined; thrown = thrown.cause) links += 1;
  expect(links).toBe(4);
});

test('huge texts of an error are cut inside the guest', async () => {
  const { error } = await thrownBy(`const e = new Error('x'.repeat(1e7)); e.name = 'n'.repeat(1e5); e.stack = 's'.repeat(1e7); throw e;`);
  expect([error.name.length, error.message.length, error.stack.length]).toEqual([128, 8_192, 16_384]);
});

test('a looping getter of what was thrown is stopped by the time limit of the call', async () => {
  const run = await runBundle(`module.exports = { execute() { throw new Proxy({}, { get() { for (;;); } }); } };`);
  expect([run.end, run.escaped]).toEqual([undefined, 'Script execution timed out.']);
});

test.for([
  ['of execute', `module.exports = { get execute() { for (;;); } };`],
  ['of a bundle that loops', `module.exports = { execute() { for (;;); } };`],
  ["of a service call's toJSON", `module.exports = { execute(ctx) { return ctx.organizationService.create('a', { toJSON() { for (;;); } }); } };`],
  ['of a microtask chain', `module.exports = { execute() { return new Promise(() => { (function f() { Promise.resolve().then(f); })(); }); } };`],
  ['of an endless thenable', `module.exports = { execute() { const mk = () => ({ then(r) { r(mk()); } }); return mk(); } };`],
] as const)('the time limit stops an endless loop %s', async ([, code]) => {
  const run = await runBundle(code);
  expect([run.end, run.escaped]).toEqual([undefined, 'Script execution timed out.']);
});

test("the engine's stack hook cannot be set, also not by strict code or on a replaced Error", async () => {
  const thrown = await thrownBy(
    `'use strict'; Error.prepareStackTrace = () => 'PWNED'; const Real = Error; globalThis.Error = class { }; globalThis.Error.prepareStackTrace = () => 'PWNED'; throw new Real('plain');`,
  );
  expect(thrown.error.stack).toMatch(/^Error: plain\n {4}at .*bundle\.js:3:/);
});

test('strict code may set the stack limit, as libraries do at load, and no stack is longer for it where it is described', async () => {
  const thrown = await thrownBy(
    `'use strict'; Error.stackTraceLimit = Infinity; function deep(n) { if (n === 0) throw new Error('deep'); deep(n - 1); } deep(5000);`,
  );
  expect(thrown.error.message).toBe('deep');
  expect(thrown.error.stack.length).toBeLessThanOrEqual(16_384);
});

test.for([
  'WebAssembly',
  'SharedArrayBuffer',
  'Atomics',
  'WeakRef',
  'FinalizationRegistry',
  'ShadowRealm',
  'escape',
  'unescape',
  'process',
  'require',
  'Buffer',
])('%s does not exist in a guest', async (name) => {
  expect(await evaluate(`return typeof globalThis.${name} + typeof ${name};`)).toBe('undefinedundefined');
});

test('array buffers cannot be resizable by any way', async () => {
  expect(await evaluate(`try { new ArrayBuffer(8, { maxByteLength: 16 }); } catch (e) { return e.name; }`)).toBe('RangeError');
  expect(await evaluate(`return ['resize', 'transfer', 'transferToFixedLength'].map((n) => typeof ArrayBuffer.prototype[n]).join();`)).toBe(
    'undefined,undefined,undefined',
  );
  expect(
    await evaluate(
      `const C = new Uint8Array(1).buffer.constructor; try { new C(8, { maxByteLength: 16 }); return 'made'; } catch (e) { return C === ArrayBuffer; }`,
    ),
  ).toBe(true);
  expect(
    await evaluate(
      `class B extends ArrayBuffer {} const b = new B(4); return [b instanceof B, b instanceof ArrayBuffer, b.byteLength, new ArrayBuffer(6).slice(1).byteLength, ArrayBuffer.isView(new Uint8Array())];`,
    ),
  ).toEqual([true, true, 4, 5, true]);
});

test('import() finds nothing', async () => {
  expect(
    await evaluate(
      `const found = []; for (const s of ['fs', 'node:fs', 'file:///etc/passwd', 'data:text/javascript,export default 1']) { try { await import(s); found.push(s); } catch {} } return found;`,
    ),
  ).toEqual([]);
});

test('a bundle cannot close the wrapper that it is loaded in', async () => {
  for (const code of ['}); globalThis.evil = 1; (function () {', '}\nglobalThis.evil = 1;\n{', '*/ } /*', '`']) {
    const run = await runBundle(code);
    expect(JSON.parse(run.end?.text ?? '')).toMatchObject({ error: { name: 'SyntaxError' } });
  }
});

test('poisoned builtins change nothing about how an execution ends', async () => {
  const poison = `
    Object.prototype.toJSON = function () { return 'evil'; }; Array.prototype.toJSON = () => 'evil'; JSON.stringify = () => 'evil'; JSON.parse = () => 'evil';
    Promise.prototype.then = function () { throw new Error('evil'); }; globalThis.Promise = undefined; Map.prototype.get = () => 'evil'; Map.prototype.set = null;
    Array.prototype[Symbol.iterator] = null; String.prototype.slice = () => 'evil'; Function.prototype.call = null; Function.prototype.apply = null; Reflect.apply = null;
    Object.keys = () => []; Object.defineProperty(Object.prototype, 'error', { set() { throw 1; }, get() { return 'evil'; } }); globalThis.Error = null; globalThis.String = null;`;
  const good = await runBundle(
    `module.exports = { execute(ctx) { ctx.executionContext.outputParameters.list = [1, { a: new Date(0) }]; ${poison} } };`,
  );
  expect(JSON.parse(good.end?.text ?? '')).toEqual({
    inputParameters: {},
    outputParameters: { list: [1, { a: '1970-01-01T00:00:00.000Z' }] },
    sharedVariables: {},
  });
  const bad = await runBundle(`module.exports = { execute(ctx) { const e = new InvalidPluginExecutionException('Genuine.'); ${poison} throw e; } };`);
  expect(JSON.parse(bad.end?.text ?? '')).toMatchObject({ rejection: { message: 'Genuine.' } });
});

test('the same seed gives the same randomness, another seed another', async () => {
  const body = `return [Math.random(), Math.random(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(70))], Date.now(), performance.now()];`;
  const first = await evaluate(body);
  expect(await evaluate(body)).toEqual(first);
  expect(await evaluate(body, { seed: SEED.replace('0', '1') })).not.toEqual(first);
});

test("every way to the time says the execution's time", async () => {
  const seen = await evaluate(
    `return [Date.now(), new Date().getTime(), Date.parse(Date()), new (class extends Date {})().getTime(), Temporal.Now.instant().epochMilliseconds, performance.timeOrigin, new Intl.DateTimeFormat('en', { dateStyle: 'short', timeZone: 'UTC' }).format(), new Intl.DateTimeFormat('en', { year: 'numeric' }).formatToParts()[0].value, new Date().constructor === Date, new Date(2020, 1, 1).getFullYear(), Date.length];`,
  );
  expect(seen).toEqual([START_MS, START_MS, START_MS, START_MS, START_MS, START_MS, '1/31/26', '2026', true, 2020, 7]);
});

test('time moves only when a host call returns', async () => {
  const seen = await evaluate(
    `const a = Date.now(); for (let i = 0; i < 1e5; i++); const b = Date.now(); await ctx.organizationService.retrieve('account', 'x'); return [b - a, Date.now() - b, performance.now()];`,
  );
  expect(seen).toEqual([0, 1, 1]);
});

test('the boundary cannot be asked, replaced or deleted by a guest', async () => {
  expect(
    await evaluate(
      `const g = globalThis.__airlock; delete globalThis.__airlock; try { globalThis.__airlock = 1; } catch {} return [typeof g(), typeof g(''), globalThis.__airlock === g, String(g).includes('only-for-tests')];`,
    ),
  ).toEqual(['undefined', 'undefined', true, false]);
});

test('what was kept of an earlier execution is dead', async () => {
  const code = `let kept; module.exports = { async execute(ctx) { if (kept === undefined) { kept = ctx.organizationService; return; } try { await kept.create('account', {}); } catch (e) { ctx.tracing.trace(e.message); } } };`;
  const { GuestIsolate, runLoaded } = await import('../test-support/guest-isolate.ts');
  using guest = new GuestIsolate();
  guest.call('load', code, 'bundle.js', START_MS, SEED);
  await runLoaded(guest);
  const second = await runLoaded(guest);
  expect(second.traces).toEqual(['The execution has ended; its services cannot be used any more.']);
  expect(second.posts.filter((post) => post.kind === 'service')).toEqual([]);
});
