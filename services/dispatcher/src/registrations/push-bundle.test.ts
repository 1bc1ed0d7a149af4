import { type BundleDigest, planMessage } from '@airlock/pipeline';
import type { PushResult } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { BundleStore } from './bundle-store.ts';
import { clear, codeOf, digestOf, migrated, onCreate, oneType, onUpdate, openRegistry, operator, type Registry, upload } from './fixture.ts';
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
  await clear(registry.db);
});

const createName = 'CreditCheck: Create of account (PreOperation)';
const updateName = 'CreditCheck: Update of account (PostOperation)';

const push = (...args: Parameters<typeof upload>) => pushBundle(registry.deps, upload(...args), operator, { plan: false });
const actions = ({ changes }: PushResult) => changes.map(({ action, what, name }) => `${action} ${what} ${name}`);
const steps = async () => [...(await loadRegistrations(registry.db, registry.deps.secrets)).stepsById.values()];
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
    const before = await loadRegistrations(registry.db, registry.deps.secrets);
    const notified = registry.notified();
    const again = await push('1.0.0');
    expect(new Set(again.changes.map(({ action }) => action))).toEqual(new Set(['unchanged']));
    expect((await loadRegistrations(registry.db, registry.deps.secrets)).version).toBe(before.version);
    expect(registry.notified()).toBe(notified);
  });

  test('of code that is stored already is taken under another version and another name, with the clock of its first upload', async () => {
    registry.answer(oneType(onCreate));
    await push('1.0.0', { code: 'same' });
    const later = { ...registry.deps, now: () => Date.UTC(2030, 0, 1) };
    await pushBundle(later, upload('1.0.1', { code: 'same' }), operator, { plan: false });
    await pushBundle(later, upload('1.0.0', { code: 'same', name: 'other' }), operator, { plan: false });
    expect(await registry.db.query(sql`select name, version, iscurrent from airlock.pluginassembly order by name, version`)).toEqual([
      { name: 'credit', version: '1.0.0', iscurrent: false },
      { name: 'credit', version: '1.0.1', iscurrent: true },
      { name: 'other', version: '1.0.0', iscurrent: true },
    ]);
    expect(new Set((await steps()).map(({ plugin }) => plugin.uploadedAtMs))).toEqual(new Set([Date.UTC(2026, 0, 31, 12)]));
    await push('1.0.0', { code: 'same' });
    expect((await steps()).map(({ plugin }) => `${plugin.bundleName} ${plugin.bundleVersion}`).toSorted()).toEqual(['credit 1.0.0', 'other 1.0.0']);
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

  test('waits for an operator who changes a step meanwhile, and keeps what was set', async () => {
    registry.answer(oneType(onCreate));
    await push('1.0.0');
    await using other = openRegistry(database.url);
    const changed = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const changing = other.db.inTransaction(async (tx) => {
      await tx.query(sql`update airlock.sdkmessageprocessingstep set statecode = 1, statuscode = 2`);
      changed.resolve();
      await mayCommit.promise;
    });
    await changed.promise;
    const pushing = push('1.1.0');
    const waiting = () =>
      registry.db.query(sql`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    await expect.poll(async () => (await waiting()).length).toBe(1);
    mayCommit.resolve();
    await Promise.all([changing, pushing]);
    expect((await steps()).map(({ enabled, plugin }) => [enabled, plugin.bundleVersion])).toEqual([[false, '1.1.0']]);
  });

  test('serves the bundle to the worker that inspects it, before it is stored', async () => {
    const { code } = upload('1.0.0');
    const seen: unknown[] = [];
    const bundles = new BundleStore(registry.db);
    const digest = digestOf(code) as BundleDigest;
    const inspect = async () => {
      seen.push(Buffer.from((await bundles.readPart(digest, 'code')) ?? []).toString());
      return oneType();
    };
    await pushBundle({ ...registry.deps, bundles, inspect }, upload('1.0.0'), operator, { plan: true });
    expect(seen).toEqual([code]);
    expect(await bundles.readPart(digest, 'code')).toBeUndefined();
  });
});

test('statement 13: the same step declared twice is registered twice, and stays so', async () => {
  registry.answer(oneType(onCreate, onCreate));
  await push('1.0.0');
  expect((await steps()).map(({ name }) => name)).toEqual([createName, `${createName} #2`]);
  const { index } = await loadRegistrations(registry.db, registry.deps.secrets);
  expect(planMessage(index, { messageName: 'Create', tableName: 'account', customStepsAllowed: true }).preOperation).toHaveLength(2);
  await push('1.1.0');
  expect(await steps()).toHaveLength(2);
});
