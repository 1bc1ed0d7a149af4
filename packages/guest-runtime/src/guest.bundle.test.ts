import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { buildGuest } from '../scripts/build-guest.ts';
import { GuestIsolate, runBundle, runLoaded, SEED, START_MS, snapshotOf } from '../test-support/guest-isolate.ts';

function load(code: string): { readonly loaded: unknown; readonly types: unknown } {
  using guest = new GuestIsolate();
  const loaded: unknown = JSON.parse(guest.call('load', code, 'bundle.js', START_MS, SEED));
  return { loaded, types: JSON.parse(guest.call('types')) };
}

test('the generated script is what its sources give', async () => {
  const generated = await readFile(new URL('./generated/guest-runtime.script', import.meta.url), 'utf8');
  expect(generated === (await buildGuest())).toBe(true);
});

test('plug-in types are the exports that can be executed, under their own name or that of the export', () => {
  const { loaded, types } = load(
    `module.exports = { First: { execute() {}, steps: [{ message: 'Create' }] }, second: { typeName: 'My.Second', execute() {} }, default: Object.assign(() => 1, { execute() {} }), helper() {}, text: 'x', nothing: null };`,
  );
  expect(loaded).toEqual({ ok: true });
  expect(types).toEqual({
    ok: true,
    types: [
      { typeName: 'First', steps: [{ message: 'Create' }] },
      { typeName: 'My.Second', steps: [] },
      { typeName: 'default', steps: [] },
    ],
  });
});

test('a module that is a plug-in itself is the type default', () => {
  expect(load(`module.exports = { execute() {} };`).types).toEqual({ ok: true, types: [{ typeName: 'default', steps: [] }] });
});

test('a second type of one name, and a plug-in without execute, are listed as what they are', () => {
  expect(
    load(`module.exports = { A: { execute() {} }, b: { typeName: 'A', execute() {} }, C: { kind: 'airlock.plugin' }, d: { kind: 'other' } };`).types,
  ).toEqual({
    ok: true,
    types: [
      { typeName: 'A', steps: [] },
      { typeName: 'A', hasExecute: false, steps: [] },
      { typeName: 'C', hasExecute: false, steps: [] },
    ],
  });
  expect(load(`module.exports = { C: { kind: 'airlock.plugin' } };`).types).toEqual({
    ok: true,
    types: [{ typeName: 'C', hasExecute: false, steps: [] }],
  });
});

test('exports that cannot be types have a limit too', () => {
  const code = `for (let i = 0; i < 1000; i += 1) exports['p' + i] = { kind: 'airlock.plugin' };`;
  expect(load(code).types).toMatchObject({ ok: false, thrown: { error: { message: expect.stringContaining('more than 256') as unknown } } });
});

test.for(['null', '5', '"x"', 'undefined', '[]', 'new Proxy({}, {})'])('a bundle that exports %s has no types', (value) => {
  expect(load(`module.exports = ${value};`).types).toEqual({ ok: true, types: [] });
});

test('a syntax error and a throw at load are told apart', () => {
  expect(load('import fs from "node:fs"; export default 1;').loaded).toMatchObject({
    ok: false,
    broke: 'not-parseable',
    thrown: { error: { name: 'SyntaxError' } },
  });
  expect(load('\nthrow new Error("at load");').loaded).toMatchObject({
    ok: false,
    broke: 'throws-at-load',
    thrown: { error: { message: 'at load', stack: expect.stringContaining('bundle.js:4:') as unknown } },
  });
});

test('an unknown type is an error that names those that exist', async () => {
  const { end } = await runBundle('exports.A = { execute() {} }; exports.B = { execute() {} };', { typeName: 'C' });
  expect(JSON.parse(end?.text ?? '')).toMatchObject({ error: { message: `The bundle has no plug-in type 'C'; it has: A, B.` } });
});

test('getters of exports are read once', async () => {
  const { end } = await runBundle(
    `let n = 0; module.exports = { get execute() { n += 1; return function (ctx) { ctx.executionContext.outputParameters.n = n; }; } };`,
  );
  expect(JSON.parse(end?.text ?? '')).toMatchObject({ outputParameters: { n: 1 } });
});

test('host calls are refused and timers never fire while a bundle loads', () => {
  expect(
    load(
      `setTimeout(() => { throw 1; }, 0); try { crypto.subtle.digest('SHA-256', new Uint8Array(1)).catch(() => {}); } catch {} module.exports = { execute() {} };`,
    ).loaded,
  ).toEqual({ ok: true });
});

test('a snapshot with the runtime and a bundle runs like one loaded afresh', async () => {
  const code = `const at = Date.now(); module.exports = { execute(ctx) { ctx.executionContext.outputParameters.r = [at, Math.random(), crypto.randomUUID(), new URL('https://bücher.example').host, typeof Atomics, typeof WebAssembly, typeof SharedArrayBuffer, typeof FinalizationRegistry, Temporal.Now.instant().epochMilliseconds]; } };`;
  const fresh = await runBundle(code);
  const restored = await runBundle('', { snapshot: snapshotOf(code) });
  expect(restored.end).toEqual(fresh.end);
  using guest = new GuestIsolate(snapshotOf(code));
  expect(guest.call('loaded')).toBe('{"ok":true}');
  expect((await runLoaded(guest)).end).toEqual(fresh.end);
});

test('a bundle that is loaded in a snapshot cannot take the place of the boundary', async () => {
  const code = `try { Object.defineProperty(globalThis, '__airlock', { value: () => ({}) }); } catch {} try { Error.stackTraceLimit = Infinity; } catch {} module.exports = { execute(ctx) { ctx.executionContext.outputParameters.r = Error.stackTraceLimit; } };`;
  const { end } = await runBundle('', { snapshot: snapshotOf(code) });
  expect(JSON.parse(end?.text ?? '')).toMatchObject({ outputParameters: { r: 30 } });
});
