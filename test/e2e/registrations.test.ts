/** Pushing bundles: the plan, what a second push changes, what a refused one leaves alone. */
import { hasChanges, pushBundle } from '@airlock/cli';
import type { BundleUpload } from '@airlock/protocol';
import { expect, test } from 'vitest';
import { buildSource, SDK_IMPORT } from '../support/plugin-bundle.ts';
import { errorOf, usePluginSystem } from '../support/plugin-system.ts';

const system = usePluginSystem();

const BUNDLES = '/api/airlock/v1/bundles';

const bundle = (name: string, version: string, source: string) => buildSource({ name, version, source: SDK_IMPORT + source });
const push = async (upload: Awaited<ReturnType<typeof bundle>>, plan = false) =>
  await pushBundle({ url: system.http.url, token: system.http.token, bundle: upload, plan });
const listed = async (path: string) =>
  ((await system.http.request('GET', `/api/airlock/v1/${path}`)).body as { value: { name: string; version: string }[] }).value;
const stepsOf = async (name: string) =>
  (await listed('steps')).filter((step) => (step as unknown as { bundle: string }).bundle === name).map((step) => step.name);

const oneStep = (name: string, extra = '') =>
  `export const plugin = definePlugin({ steps: [{ name: '${name}', message: 'Create', table: 'account', stage: 'PreOperation' ${extra} }], execute() {} });`;

test('a plan changes nothing, the push does what it said, and the same again changes nothing', async () => {
  const upload = await bundle('planned', '1.0.0', oneStep('planned step'));
  const plan = await push(upload, true);
  expect([plan.applied, hasChanges(plan)]).toEqual([false, true]);
  expect(await stepsOf('planned')).toEqual([]);
  const done = await push(upload);
  expect(done.applied).toBe(true);
  expect(done.changes).toEqual(plan.changes);
  expect(await stepsOf('planned')).toEqual(['planned step']);
  const again = await push(upload);
  expect(hasChanges(again)).toBe(false);
  expect(await stepsOf('planned')).toEqual(['planned step']);
});

test('a new version changes its own steps and leaves those of other bundles alone', async () => {
  await push(
    await bundle(
      'first',
      '1.0.0',
      `${oneStep('kept')} export const gone = definePlugin({ steps: [{ name: 'gone', message: 'Delete', table: 'account', stage: 'PreOperation' }], execute() {} });`,
    ),
  );
  await push(await bundle('second', '1.0.0', oneStep('of the second')));
  const result = await push(
    await bundle(
      'first',
      '1.1.0',
      `${oneStep('kept', ', rank: 7')} export const fresh = definePlugin({ steps: [{ name: 'fresh', message: 'Update', table: 'account', stage: 'PreOperation' }], execute() {} });`,
    ),
  );
  const actions = result.changes.filter(({ what }) => what === 'step').map(({ action, name }) => `${action} ${name}`);
  expect(actions.toSorted()).toEqual(['create fresh', 'delete gone', 'update kept']);
  expect(result.changes.find(({ name }) => name === 'kept')?.differences).toContainEqual({ field: 'rank', from: '1', to: '7' });
  expect((await stepsOf('first')).toSorted()).toEqual(['fresh', 'kept']);
  expect(await stepsOf('second')).toEqual(['of the second']);
});

test('a step that was disabled stays disabled when its bundle is pushed again', async () => {
  await push(await bundle('switched', '1.0.0', oneStep('switched off')));
  await system.http.request('PATCH', `/api/airlock/v1/steps/${await system.stepId('switched off')}`, { body: { enabled: false } });
  await push(await bundle('switched', '1.0.1', `${oneStep('switched off')} export const other = definePlugin({ execute() {} });`));
  const step = (await listed('steps')).find(({ name }) => name === 'switched off');
  expect(step).toMatchObject({ enabled: false, version: '1.0.1' });
});

test('a version that exists with other content is refused', async () => {
  await push(await bundle('versions', '1.0.0', oneStep('versioned')));
  const other = await bundle('versions', '1.0.0', oneStep('versioned otherwise'));
  const answer = await system.http.request('POST', BUNDLES, { body: { manifest: other.manifest, code: other.code } });
  expect([answer.status, errorOf(answer).code]).toEqual([409, '0x8004417b']);
  expect(await stepsOf('versions')).toEqual(['versioned']);
});

const THROWS = `
const settings = undefined;
export const plugin = definePlugin({ steps: [], execute() {} });
export const limit = settings.limit;`;

test.each([
  ['throws at load', THROWS, 400, '0x80044190', /throws while it loads: TypeError: .*\(src\/index\.ts:5:\d+\)/],
  ['has no plug-in type', 'export const nothing = 1;', 400, '0x8004418b', /exports no plug-in type/],
  [
    'has two types of one name',
    "export const a = definePlugin({ typeName: 'Same', execute() {} }); export const b = definePlugin({ typeName: 'Same', execute() {} });",
    400,
    '0x8004417c',
    /more than one plug-in type with the name "Same"/,
  ],
  ['never ends loading', 'for (;;); export const plugin = definePlugin({ execute() {} });', 400, '0x80044190', /cannot be loaded within its limits/],
  [
    'declares an asynchronous step on PreOperation',
    oneStep('early', ", mode: 'Asynchronous'"),
    400,
    '0x80044190',
    /steps\[0\]\.mode is "Asynchronous", which only the stage "PostOperation" allows\. \(src\/index\.ts:2:\d+\)/,
  ],
  [
    'has an asynchronous step on PreOperation that no SDK checked',
    "export const p = { kind: 'airlock.plugin', steps: [{ name: 'early', message: 'Create', table: 'account', stage: 'PreOperation', mode: 'Asynchronous' }], execute() {} };",
    400,
    '0x80044170',
    /Step "early": an asynchronous step runs on PostOperation only/,
  ],
  [
    'has a pre-image on Create',
    "export const p = definePlugin({ steps: [{ name: 'image', message: 'Create', table: 'account', stage: 'PostOperation', images: [{ alias: 'a', type: 'PreImage' }] }], execute() {} });",
    400,
    '0x8004416d',
    /Step "image"/,
  ],
  ['has a post-image on PreOperation', oneStep('image', ", images: [{ alias: 'a', type: 'PostImage' }]"), 400, '0x8004416e', /Step "image"/],
  ['names a table that is not there', oneStep('nowhere').replace("'account'", "'nosuchtable'"), 404, '0x80040217', /nosuchtable/],
  [
    'names a column that is not there',
    "export const p = definePlugin({ steps: [{ name: 'column', message: 'Update', table: 'account', stage: 'PreOperation', filteringAttributes: ['nosuch'] }], execute() {} });",
    400,
    '0x80040203',
    /nosuch/,
  ],
])('a bundle that %s is refused whole', async (_what, source, status, code, message) => {
  const { manifest, code: text, sourceMap } = await bundle('refused', '1.0.0', source);
  const answer = await system.http.request('POST', BUNDLES, { body: { manifest, code: text, sourceMap } satisfies BundleUpload });
  expect({ status: answer.status, code: errorOf(answer).code }, errorOf(answer).message).toEqual({ status, code });
  expect(errorOf(answer).message).toMatch(message);
  expect((await listed('bundles')).filter(({ name }) => name === 'refused')).toEqual([]);
  expect(await stepsOf('refused')).toEqual([]);
});

test('code that is no JavaScript, and code that is too large, are refused', async () => {
  const manifest = { manifestVersion: 1 as const, name: 'refused', version: '1.0.0', sdkVersion: '0' };
  const syntax = await system.http.request('POST', BUNDLES, { body: { manifest, code: 'exports.a = 1;\nexports.b = (;' } });
  expect([syntax.status, errorOf(syntax).code]).toEqual([400, '0x80044191']);
  expect(errorOf(syntax).message).toMatch(/cannot be parsed: SyntaxError.*:2/);
  const large = await system.http.request('POST', BUNDLES, { body: { manifest, code: `//${'x'.repeat(5_000_000)}` } });
  expect([large.status, errorOf(large).code]).toEqual([413, '0x8004418f']);
  expect(errorOf(large).message).toMatch(/'5000002 bytes'/);
});
