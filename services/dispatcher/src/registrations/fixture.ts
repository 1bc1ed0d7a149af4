import { createHash } from 'node:crypto';
import { type InspectionResult, PlatformError, PROTOCOL_VERSION } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import type { Template } from '../../../../test/support/postgres.ts';
import type { Caller } from '../execute-message/message.ts';
import type { Column, Metadata, Table } from '../metadata/table.ts';
import { newMasterKey, parseMasterKeys } from '../secrets/master-key.ts';
import { createSecretKeeper, type SecretKeeper } from '../secrets/secret-keeper.ts';
import { migrate } from '../store/migrate.ts';
import { PlatformDatabase } from '../store/platform-database.ts';
import { SYSTEM_USER_ID } from '../store/well-known.ts';
import { BundleStore } from './bundle-store.ts';
import type { PushDependencies } from './push-bundle.ts';

/** What the tests of this folder share. */
export const migrated: Template = { name: 'registrations', fill: (url) => migrate({ url }) };

export const openDatabase = (url: string) =>
  new PlatformDatabase({ url, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000, idleInTransactionTimeoutMs: 20_000 });

export const operator: Caller = { userId: SYSTEM_USER_ID, role: 'operator', authenticatedUserId: SYSTEM_USER_ID };

function table(logicalName: string, columns: readonly string[], customStepsAllowed = true): Table {
  const column = (name: string): [string, Column] => [
    name,
    { logicalName: name, displayName: name, type: 'string', required: false, readOnly: false, maxLength: 100 },
  ];
  return {
    logicalName,
    displayName: logicalName,
    displayCollectionName: `${logicalName}s`,
    entitySetName: `${logicalName}s`,
    primaryIdAttribute: `${logicalName}id`,
    primaryNameAttribute: 'name',
    schema: 'data',
    columns: new Map(columns.map(column)),
    keys: [],
    rights: { create: 'user', read: 'user', write: 'user', delete: 'user' },
    customStepsAllowed,
  };
}

const tables = [
  table('account', ['name', 'telephone1', 'fax', 'creditlimit']),
  table('contact', ['firstname']),
  table('plugintracelog', ['x'], false),
];

export const metadata: Metadata = {
  version: 1,
  tables: new Map(tables.map((one) => [one.logicalName, one])),
  bySetName: new Map(tables.map((one) => [one.entitySetName, one])),
};

const quiet: InspectionResult['observation'] = {
  deadlineFired: false,
  cpuLimitFired: false,
  residentLimitFired: false,
  heapExhausted: false,
  hostCallLimitFired: false,
  childDied: false,
  shuttingDown: false,
};

/** What a worker answers about a bundle that it could load. */
export function inspected(
  types: InspectionResult['types'],
  seen: Partial<InspectionResult['observation']> = {},
  broke?: 'not-parseable' | 'throws-at-load',
): InspectionResult {
  const base = { version: PROTOCOL_VERSION, kind: 'inspected', runId: 'run', token: 'token', types } as const;
  return { ...base, observation: { ...quiet, ...seen }, ...(broke === undefined ? {} : { broke }) };
}

export const oneType = (...steps: unknown[]) => inspected([{ typeName: 'CreditCheck', steps }]);

export function upload(version: string, options: { readonly code?: string; readonly name?: string; readonly stateless?: boolean } = {}) {
  const { code = `// ${options.name ?? ''} ${version}`, name = 'credit', stateless = false } = options;
  return { manifest: { manifestVersion: 1 as const, name, version, stateless, sdkVersion: '0.1.0' }, code };
}

export const digestOf = (code: string) => createHash('sha256').update(code).digest('hex');

export interface Registry extends AsyncDisposable {
  readonly db: PlatformDatabase;
  readonly deps: PushDependencies & { readonly secrets: SecretKeeper };
  /** How often dispatchers were told that something changed. */
  readonly notified: () => number;
  /** What the worker will say of the next uploads. */
  answer(result: InspectionResult): void;
}

export function openRegistry(url: string): Registry {
  const db = openDatabase(url);
  let result = oneType();
  let notified = 0;
  const deps: Registry['deps'] = {
    db,
    secrets: createSecretKeeper(parseMasterKeys(newMasterKey())),
    bundles: new BundleStore(db),
    inspect: async () => result,
    metadata: () => metadata,
    changed: () => {
      notified += 1;
    },
    now: () => Date.UTC(2026, 0, 31, 12),
  };
  return {
    db,
    deps,
    notified: () => notified,
    answer: (next) => {
      result = next;
    },
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

/** An empty registry, whatever the test before left. */
export async function clear(db: PlatformDatabase): Promise<void> {
  await db.query(sql`truncate airlock.pluginassembly, airlock.plugintype, airlock.sdkmessageprocessingstep,
    airlock.sdkmessageprocessingstepimage, airlock.sdkmessageprocessingstepsecureconfig, airlock.auditlog, airlock.datakey, airlock.signingkey cascade`);
  await db.query(sql`update airlock.organization set requiresignature = false`);
}

export const onCreate = { message: 'Create', table: 'account', stage: 'PreOperation' };
export const onUpdate = {
  message: 'Update',
  table: 'account',
  stage: 'PostOperation',
  filteringAttributes: ['name', 'telephone1'],
  images: [{ alias: 'pre', type: 'PreImage', columns: ['name'] }],
};

/** The code of the registered error with which `work` was refused. */
export const codeOf = async (work: Promise<unknown>) =>
  await work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof PlatformError ? error.code : String(error)),
  );
