import { PlatformError, type PushResult } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { digestOf, inspected, migrated, oneType, openRegistry, operator, type Registry, upload } from './fixture.ts';
import { loadRegistrations } from './load-registrations.ts';
import { patchStep } from './patch-step.ts';
import { pushBundle } from './push-bundle.ts';
import { setSecureConfiguration } from './set-secure-configuration.ts';

const database = useDatabase({ template: migrated });
let registry: Registry;
beforeAll(() => {
  registry = openRegistry(database.url);
});
afterAll(() => registry[Symbol.asyncDispose]());
beforeEach(async () => {
  await registry.db.query(sql`truncate airlock.pluginassembly, airlock.plugintype, airlock.sdkmessageprocessingstep,
    airlock.sdkmessageprocessingstepimage, airlock.sdkmessageprocessingstepsecureconfig, airlock.auditlog`);
});

const onCreate = { message: 'Create', table: 'account', stage: 'PreOperation' };
const onUpdate = {
  message: 'Update',
  table: 'account',
  stage: 'PostOperation',
  filteringAttributes: ['name', 'telephone1'],
  images: [{ alias: 'pre', type: 'PreImage', columns: ['name'] }],
};
const createName = 'CreditCheck: Create of account (PreOperation)';
const updateName = 'CreditCheck: Update of account (PostOperation)';

const push = (...args: Parameters<typeof upload>) => pushBundle(registry.deps, upload(...args), operator, { plan: false });
const actions = ({ changes }: PushResult) => changes.map(({ action, what, name }) => `${action} ${what} ${name}`);
const steps = async () => [...(await loadRegistrations(registry.db)).stepsById.values()];
const codeOf = async (work: Promise<unknown>) =>
  await work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof PlatformError ? error.code : String(error)),
  );
const refusal = async (work: Promise<unknown>) =>
  await work.then(
    () => 'accepted',
    (error: unknown) => String(error),
  );

describe('a push', () => {
  test('registers the bundle, its types and the steps that it declares', async () => {
    registry.answer(oneType(onCreate, onUpdate));
    const result = await push('1.0.0');
    expect(result.applied).toBe(true);
    expect(result.bundle.digest).toBe(digestOf('//  1.0.0'));
    expect(actions(result)).toEqual([
      'create bundle credit',
      'create plugin-type CreditCheck',
      `create step ${createName}`,
      `create step ${updateName}`,
      `create image ${updateName}: pre`,
    ]);
    const [first, second] = await steps();
    expect(first).toMatchObject({ name: createName, stage: 20, mode: 0, rank: 1, enabled: true, runAs: { kind: 'calling-user' } });
    expect(second).toMatchObject({
      primaryTable: 'account',
      filteringAttributes: ['name', 'telephone1'],
      images: [{ entityAlias: 'pre', imageType: 0, messagePropertyName: 'Target', attributes: ['name'] }],
      plugin: { typeName: 'CreditCheck', bundleName: 'credit', bundleVersion: '1.0.0', uploadedAtMs: Date.UTC(2026, 0, 31, 12) },
    });
  });

  test('changes nothing when only the plan is asked for', async () => {
    registry.answer(oneType(onCreate));
    const before = registry.notified();
    const result = await pushBundle(registry.deps, upload('1.0.0'), operator, { plan: true });
    expect(result.applied).toBe(false);
    expect(actions(result)).toContain(`create step ${createName}`);
    expect(await steps()).toEqual([]);
    expect(await registry.db.query(sql`select 1 from airlock.auditlog`)).toEqual([]);
    expect(registry.notified()).toBe(before);
  });

  test('that comes again changes nothing and tells nobody', async () => {
    registry.answer(oneType(onCreate, onUpdate));
    await push('1.0.0');
    const before = await loadRegistrations(registry.db);
    const notified = registry.notified();
    const again = await push('1.0.0');
    expect(new Set(again.changes.map(({ action }) => action))).toEqual(new Set(['unchanged']));
    expect((await loadRegistrations(registry.db)).version).toBe(before.version);
    expect(registry.notified()).toBe(notified);
  });

  test('of other code under a version that exists is refused', async () => {
    registry.answer(oneType(onCreate));
    await push('1.0.0');
    expect(await codeOf(push('1.0.0', { code: 'other' }))).toBe('BUNDLE_VERSION_TAKEN');
    expect(await codeOf(push('1.0.0', { stateless: true }))).toBe('BUNDLE_VERSION_TAKEN');
  });

  test('of a new version moves the steps of the bundle, keeps their ids, and leaves the old version stored', async () => {
    registry.answer(oneType(onCreate));
    await push('1.0.0');
    const [before] = await steps();
    const result = await push('1.1.0');
    expect(result.changes.find(({ what }) => what === 'step')).toMatchObject({
      action: 'update',
      differences: [{ field: 'version', from: '1.0.0', to: '1.1.0' }],
    });
    const [after] = await steps();
    expect(after?.id).toBe(before?.id);
    expect(after?.plugin.bundleVersion).toBe('1.1.0');
    expect(await registry.db.query(sql`select version, iscurrent from airlock.pluginassembly order by version`)).toEqual([
      { version: '1.0.0', iscurrent: false },
      { version: '1.1.0', iscurrent: true },
    ]);
    expect(actions(await push('1.0.0'))[0]).toBe('update bundle credit');
    expect((await steps())[0]?.plugin.bundleVersion).toBe('1.0.0');
  });

  test('deletes the steps and images that are no longer declared, and says so in the plan', async () => {
    registry.answer(oneType(onCreate, onUpdate));
    await push('1.0.0');
    registry.answer(oneType({ ...onUpdate, images: [] }));
    const result = await push('1.1.0');
    expect(actions(result)).toContain(`delete step ${createName}`);
    expect(actions(result)).toContain(`delete image ${updateName}: pre`);
    expect((await steps()).map(({ name, images }) => [name, images])).toEqual([[updateName, []]]);
  });

  test('never touches a step that it does not own', async () => {
    registry.answer(oneType(onCreate));
    await push('1.0.0');
    await registry.db.query(sql`update airlock.sdkmessageprocessingstep set managedby = null, name = 'by hand'`);
    registry.answer(oneType());
    await push('1.1.0');
    expect((await steps()).map(({ name, plugin }) => [name, plugin.bundleVersion])).toEqual([['by hand', '1.0.0']]);
  });

  test('changes an image whose columns changed', async () => {
    registry.answer(oneType(onUpdate));
    await push('1.0.0');
    registry.answer(oneType({ ...onUpdate, images: [{ alias: 'pre', type: 'Both', columns: ['fax', 'name'] }] }));
    const result = await push('1.1.0');
    expect(result.changes.find(({ what }) => what === 'image')?.differences).toEqual([
      { field: 'imageType', from: '0', to: '2' },
      { field: 'columns', from: 'name', to: 'fax,name' },
    ]);
    expect((await steps())[0]?.images).toEqual([{ entityAlias: 'pre', imageType: 2, messagePropertyName: 'Target', attributes: ['fax', 'name'] }]);
  });

  test('keeps what an operator set, as long as the bundle declares nothing for it', async () => {
    registry.answer(oneType(onCreate));
    await push('1.0.0');
    const [step] = await steps();
    await patchStep(registry.deps, step?.id ?? '', { enabled: false, rank: 7, configuration: 'ours' }, operator);
    await setSecureConfiguration(registry.deps, step?.id ?? '', 'secret', operator);
    const result = await push('1.1.0');
    expect((await steps())[0]).toMatchObject({ enabled: false, rank: 7, unsecureConfiguration: 'ours', secureConfiguration: 'secret' });
    expect(result.warnings.join('\n')).toContain('enabled was set at the registration and is kept');
    registry.answer(oneType({ ...onCreate, enabled: true, rank: 2, configuration: 'theirs' }));
    await push('1.2.0');
    expect((await steps())[0]).toMatchObject({ enabled: true, rank: 2, unsecureConfiguration: 'theirs', secureConfiguration: 'secret' });
  });

  test('removes the secret of a step together with the step', async () => {
    registry.answer(oneType(onCreate));
    await push('1.0.0');
    await setSecureConfiguration(registry.deps, (await steps())[0]?.id ?? '', 'secret', operator);
    registry.answer(oneType());
    await push('1.1.0');
    expect(await registry.db.query(sql`select 1 from airlock.sdkmessageprocessingstepsecureconfig`)).toEqual([]);
  });

  test('leaves an audit row that names who pushed what', async () => {
    registry.answer(oneType(onCreate));
    await push('1.0.0');
    const [row] = await registry.db.query(sql`select systemuserid, action, objectname, changes from airlock.auditlog`);
    expect(row).toMatchObject({
      systemuserid: operator.userId,
      action: 'push',
      objectname: 'credit@1.0.0',
      changes: { digest: digestOf('//  1.0.0') },
    });
  });

  test('runs after another push of the same bundle, not beside it', async () => {
    registry.answer(oneType(onCreate));
    await using other = openRegistry(database.url);
    other.answer(oneType(onCreate));
    await Promise.all([push('1.0.0'), pushBundle(other.deps, upload('1.0.0'), operator, { plan: false })]);
    expect(await steps()).toHaveLength(1);
  });

  test('serves the bundle to the worker that inspects it, before it is stored', async () => {
    const { code } = upload('1.0.0');
    const seen: unknown[] = [];
    const { bundles } = registry.deps as unknown as { bundles: { readPart(digest: string, part: string): Promise<Uint8Array | undefined> } };
    const inspect = async () => {
      seen.push(Buffer.from((await bundles.readPart(digestOf(code), 'code')) ?? []).toString());
      return oneType();
    };
    await pushBundle({ ...registry.deps, inspect }, upload('1.0.0'), operator, { plan: true });
    expect(seen).toEqual([code]);
    expect(await bundles.readPart(digestOf(code), 'code')).toBeUndefined();
  });
});

describe('a refused bundle changes nothing', () => {
  test.for([
    ['1: an asynchronous step before PostOperation', { ...onCreate, mode: 'Asynchronous' }, 'ASYNC_STAGE'],
    ['2: a stage that is not 10, 20 or 40', { ...onCreate, stage: 'MainOperation' }, 'STAGE_INVALID'],
    ['3: a table that allows no custom steps', { ...onCreate, table: 'plugintracelog' }, 'STEP_NOT_ALLOWED'],
    ['4: a pre-image on Create', { ...onCreate, stage: 'PostOperation', images: [{ alias: 'a', type: 'PreImage' }] }, 'IMAGE_TYPE_INVALID'],
    [
      '5: a post-image on Delete',
      { message: 'Delete', table: 'account', stage: 'PostOperation', images: [{ alias: 'a', type: 'PostImage' }] },
      'IMAGE_TYPE_INVALID',
    ],
    ['6: a post-image before PostOperation', { ...onCreate, images: [{ alias: 'a', type: 'PostImage' }] }, 'POST_IMAGE_STAGE'],
    [
      '7: an image on a message that carries none',
      { message: 'Retrieve', table: 'account', stage: 'PreOperation', images: [{ alias: 'a', type: 'PreImage' }] },
      'IMAGE_NOT_SUPPORTED',
    ],
    [
      '8: an image of a property that is not there',
      { ...onUpdate, images: [{ alias: 'a', type: 'PreImage', messageProperty: 'Entity' }] },
      'IMAGE_PROPERTY_INVALID',
    ],
    ['an unknown message', { ...onCreate, message: 'Explode' }, 'MESSAGE_UNKNOWN'],
    ['an unknown table', { ...onCreate, table: 'spaceship' }, 'TABLE_UNKNOWN'],
    ['an unknown filtering column', { ...onUpdate, filteringAttributes: ['shoesize'] }, 'STEP_COLUMN_UNKNOWN'],
    ['an unknown image column', { ...onUpdate, images: [{ alias: 'a', type: 'PreImage', columns: ['shoesize'] }] }, 'STEP_COLUMN_UNKNOWN'],
    ['an unknown limit', { ...onCreate, limits: { patience: 1 } }, 'STEP_INVALID'],
    ['a user who is not there', { ...onCreate, runAs: '00000000-0000-4000-8000-000000000bad' }, 'STEP_INVALID'],
    ['a runAs that is nothing', { ...onCreate, runAs: 'Root' }, 'STEP_INVALID'],
    ['a name with an escape character', { ...onCreate, name: 'a\u001b[31m' }, 'STEP_INVALID'],
    ['a configuration that Postgres cannot store', { ...onCreate, configuration: 'a\u0000' }, 'STEP_INVALID'],
    ['a step that is no object', 'Create', 'STEP_INVALID'],
  ] as const)('statement %s', async ([, step, code]) => {
    registry.answer(oneType(onCreate, step));
    expect(await codeOf(push('1.0.0'))).toBe(code);
    expect(await registry.db.query(sql`select 1 from airlock.pluginassembly`)).toEqual([]);
  });

  test('statement 10: two types with one name', async () => {
    registry.answer(
      inspected([
        { typeName: 'A', steps: [] },
        { typeName: 'A', steps: [] },
      ]),
    );
    expect(await codeOf(push('1.0.0'))).toBe('PLUGIN_TYPE_DUPLICATE');
  });

  test('statement 11: more bytes than the limit, with both counts in the text', async () => {
    const text = await refusal(push('1.0.0', { code: 'x'.repeat(4 * 1024 * 1024 + 1) }));
    expect(text).toContain("'4194305 bytes'");
    expect(text).toContain("'4194304 bytes'");
  });

  test('statement 12: a type without execute, code that throws at load, code that cannot be parsed', async () => {
    const error = { name: 'TypeError', message: 'x is not a function', stack: 'TypeError: x is not a function\n    at load (src/credit.ts:12:5)' };
    registry.answer(inspected([{ typeName: 'A', hasExecute: false, steps: [] }]));
    expect(await codeOf(push('1.0.0'))).toBe('PLUGIN_TYPE_INVALID');
    registry.answer(inspected([], { thrown: { error } }, 'throws-at-load'));
    expect(await refusal(push('1.0.0'))).toContain('throws while it loads: TypeError: x is not a function (src/credit.ts:12:5)');
    registry.answer(inspected([], { thrown: { error } }, 'not-parseable'));
    expect(await codeOf(push('1.0.0'))).toBe('BUNDLE_NOT_PARSEABLE');
    registry.answer(inspected([]));
    expect(await codeOf(push('1.0.0'))).toBe('BUNDLE_NO_TYPES');
  });

  test('a limit that the host measured is named before what the guest claims', async () => {
    const error = { name: 'Error', message: 'all fine', stack: '' };
    registry.answer(inspected([], { deadlineFired: true, thrown: { error } }, 'throws-at-load'));
    expect(await codeOf(push('1.0.0'))).toBe('BUNDLE_LIMIT_AT_LOAD');
  });

  test('trouble of the platform is not blamed on the bundle', async () => {
    registry.answer(inspected([], { shuttingDown: true }));
    expect(await codeOf(push('1.0.0'))).toBe('SHUTTING_DOWN');
  });

  test('a manifest that breaks a rule is refused with the path of the field', async () => {
    const wrong = { ...upload('1.0.0'), manifest: { ...upload('1.0.0').manifest, version: 'one' } };
    const text = await refusal(pushBundle(registry.deps, wrong, operator, { plan: false }));
    expect(text).toContain('version: must be a semantic version such as 1.2.3');
  });

  test('the place in the declaration is part of the error', async () => {
    registry.answer(oneType(onCreate, { ...onCreate, images: [{ alias: 'a', type: 'SideImage' }] }));
    expect(await refusal(push('1.0.0'))).toContain('steps.1.images.0.type');
  });

  test('code that is not Unicode is refused, and bidirectional control characters are warned of', async () => {
    expect(await codeOf(push('1.0.0', { code: '"\ud800"' }))).toBe('BUNDLE_NOT_PARSEABLE');
    registry.answer(oneType());
    const { warnings } = await push('1.0.0', { code: '\ufeff// a\n// \u202e b' });
    expect(warnings[0]).toContain('byte order mark');
    expect(warnings[1]).toContain('line 2');
  });
});

test('statement 13: the same step declared twice is registered twice, and stays so', async () => {
  registry.answer(oneType(onCreate, onCreate));
  await push('1.0.0');
  expect((await steps()).map(({ name }) => name)).toEqual([createName, `${createName} #2`]);
  await push('1.1.0');
  expect(await steps()).toHaveLength(2);
});
