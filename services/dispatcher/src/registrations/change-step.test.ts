import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { clear, codeOf, migrated, oneType, openRegistry, operator, type Registry, upload } from './fixture.ts';
import { listBundles, listPluginTypes, listSteps } from './list.ts';
import { loadRegistrations } from './load-registrations.ts';
import { patchStep } from './patch-step.ts';
import { pushBundle } from './push-bundle.ts';
import { removeBundle } from './remove-bundle.ts';
import { setSecureConfiguration } from './set-secure-configuration.ts';
import { patchSettings, readSettings } from './settings.ts';

const database = useDatabase({ template: migrated });
let registry: Registry;
let stepId: string;
beforeAll(() => {
  registry = openRegistry(database.url);
});
afterAll(() => registry[Symbol.asyncDispose]());
beforeEach(async () => {
  await clear(registry.db);
  registry.answer(oneType({ message: 'Update', table: 'account', stage: 'PreOperation', filteringAttributes: ['name', 'fax'] }));
  await pushBundle(registry.deps, upload('1.0.0'), operator, { plan: false });
  stepId = (await listSteps(registry.db))[0]?.id ?? '';
  await registry.db.query(sql`truncate airlock.auditlog`);
});

const loaded = async () => [...(await loadRegistrations(registry.db, registry.deps.secrets)).stepsById.values()];
const audited = () => registry.db.query(sql`select action, objectid, changes from airlock.auditlog order by createdon, auditlogid`);
const enabledIn = async () => (await loadRegistrations(registry.db, registry.deps.secrets)).index.byMessage.get('Update')?.byTable.has('account');

test('statement 14: a disabled step is not in the plan; enabled again, it is', async () => {
  await patchStep(registry.deps, stepId, { enabled: false }, operator);
  expect(await enabledIn()).toBe(false);
  expect((await listSteps(registry.db))[0]?.enabled).toBe(false);
  await patchStep(registry.deps, stepId, { enabled: true }, operator);
  expect(await enabledIn()).toBe(true);
});

test('a change of a step is audited with what it was and what it is, and raises the version', async () => {
  const before = await loadRegistrations(registry.db, registry.deps.secrets);
  const notified = registry.notified();
  expect(await patchStep(registry.deps, stepId, { rank: 5, enabled: true }, operator)).toBe(true);
  expect(await audited()).toEqual([{ action: 'patch', objectid: stepId, changes: [{ field: 'rank', from: 1, to: 5 }] }]);
  expect((await loadRegistrations(registry.db, registry.deps.secrets)).version).toBe(before.version + 1);
  expect(registry.notified()).toBe(notified + 1);
  expect(await patchStep(registry.deps, stepId, { rank: 5 }, operator)).toBe(false);
  expect(await audited()).toHaveLength(1);
});

test('a change that breaks a rule of registration is refused, and leaves nothing behind', async () => {
  expect(await codeOf(patchStep(registry.deps, stepId, { rank: 2 ** 40 }, operator))).toBe('STEP_INVALID');
  expect(await codeOf(patchStep(registry.deps, stepId, { configuration: 'a\u0000' }, operator))).toBe('INVALID_ARGUMENT');
  expect(await codeOf(patchStep(registry.deps, 'not-an-id', { rank: 2 }, operator))).toBe('RECORD_NOT_FOUND');
  expect(await codeOf(patchStep(registry.deps, '00000000-0000-4000-8000-000000000bad', { rank: 2 }, operator))).toBe('RECORD_NOT_FOUND');
  expect(await audited()).toEqual([]);
});

test('a step whose table is gone can be switched off, and not on again', async () => {
  const deps = { ...registry.deps, metadata: () => ({ version: 2, tables: new Map(), bySetName: new Map() }) };
  expect(await patchStep(deps, stepId, { enabled: false }, operator)).toBe(true);
  expect(await codeOf(patchStep(deps, stepId, { enabled: true }, operator))).toBe('TABLE_UNKNOWN');
});

test('a secure configuration reaches the step, and no list, no plan and no audit row', async () => {
  const secret = 'tr0ub4dor&3';
  await setSecureConfiguration(registry.deps, stepId, secret, operator);
  expect((await loaded())[0]?.secureConfiguration).toBe(secret);
  const seen = [await audited(), await listSteps(registry.db), await pushBundle(registry.deps, upload('1.1.0'), operator, { plan: true })];
  expect(JSON.stringify(seen)).not.toContain(secret);
  expect((await audited())[0]?.['changes']).toEqual([{ field: 'secureConfiguration', action: 'set' }]);
});

test('a secure configuration that is replaced or removed leaves no row behind', async () => {
  await setSecureConfiguration(registry.deps, stepId, 'one', operator);
  await setSecureConfiguration(registry.deps, stepId, 'two', operator);
  expect(await registry.db.query(sql`select 1 from airlock.sdkmessageprocessingstepsecureconfig`)).toHaveLength(1);
  expect((await loaded())[0]?.secureConfiguration).toBe('two');
  await setSecureConfiguration(registry.deps, stepId, '', operator);
  expect(await registry.db.query(sql`select secureconfig from airlock.sdkmessageprocessingstepsecureconfig`)).toEqual([]);
  expect((await loaded())[0]?.secureConfiguration).toBe('');
});

test.for([1, 2])('statement 9: a step with deployment %i takes no secure configuration', async (deployment) => {
  await registry.db.query(sql`update airlock.sdkmessageprocessingstep set supporteddeployment = ${deployment}`);
  expect(await codeOf(setSecureConfiguration(registry.deps, stepId, 'secret', operator))).toBe('SECURE_CONFIGURATION_DEPLOYMENT');
  expect(await registry.db.query(sql`select 1 from airlock.sdkmessageprocessingstepsecureconfig`)).toEqual([]);
});

test('a bundle is not removed while steps depend on it', async () => {
  expect(await codeOf(removeBundle(registry.deps, { name: 'credit' }, operator))).toBe('BUNDLE_IN_USE');
  registry.answer(oneType());
  await pushBundle(registry.deps, upload('1.1.0'), operator, { plan: false });
  await removeBundle(registry.deps, { name: 'credit', version: '1.0.0' }, operator);
  expect((await listBundles(registry.db)).map(({ version }) => version)).toEqual(['1.1.0']);
  await removeBundle(registry.deps, { name: 'credit' }, operator);
  expect(await listPluginTypes(registry.db)).toEqual([]);
  expect(await codeOf(removeBundle(registry.deps, { name: 'credit' }, operator))).toBe('RECORD_NOT_FOUND');
});

test('lists name the bundle, version and type of a step', async () => {
  expect(await listSteps(registry.db)).toEqual([
    {
      id: stepId,
      name: 'CreditCheck: Update of account (PreOperation)',
      message: 'Update',
      table: 'account',
      stage: 20,
      mode: 0,
      rank: 1,
      filteringAttributes: ['fax', 'name'],
      enabled: true,
      bundle: 'credit',
      version: '1.0.0',
      typeName: 'CreditCheck',
    },
  ]);
  expect(await listBundles(registry.db)).toMatchObject([{ name: 'credit', version: '1.0.0', isCurrent: true, steps: 1 }]);
  expect(await listPluginTypes(registry.db)).toMatchObject([{ typeName: 'CreditCheck', bundle: 'credit', steps: 1 }]);
});

test('settings that are changed reach the registrations, audited', async () => {
  const notified = registry.notified();
  expect(await patchSettings(registry.deps, { pluginTraceLogSetting: 2 }, operator)).toEqual({
    pluginTraceLogSetting: 2,
    maxDepth: 8,
    requireSignature: false,
  });
  expect((await loadRegistrations(registry.db, registry.deps.secrets)).settings).toEqual(await readSettings(registry.db));
  expect((await audited())[0]?.['changes']).toEqual([{ field: 'pluginTraceLogSetting', from: 1, to: 2 }]);
  await patchSettings(registry.deps, { pluginTraceLogSetting: 2 }, operator);
  expect(registry.notified()).toBe(notified + 1);
  await patchSettings(registry.deps, { pluginTraceLogSetting: 1 }, operator);
});
