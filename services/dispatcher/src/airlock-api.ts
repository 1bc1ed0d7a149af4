import { PlatformError, type TableDefinition } from '@airlock/protocol';
import { createUser } from './access/create-user.ts';
import type { KeyStore } from './access/keys.ts';
import { inspectBundle } from './bus/inspect-bundle.ts';
import type { WorkerBus } from './bus/worker-bus.ts';
import { grantEgress, listGrants, revokeGrant } from './egress/grants.ts';
import { readLedger } from './egress/ledger.ts';
import type { AirlockApi, AirlockCall } from './http/airlock-api.ts';
import { defineTable, planTable } from './metadata/define-table.ts';
import type { MetadataCache } from './metadata/metadata-cache.ts';
import { type AuditedCaller, audit } from './registrations/audit.ts';
import type { BundleStore } from './registrations/bundle-store.ts';
import { ensureMessages } from './registrations/ensure-messages.ts';
import { listBundles, listPluginTypes, listSteps } from './registrations/list.ts';
import { patchStep } from './registrations/patch-step.ts';
import { pushBundle } from './registrations/push-bundle.ts';
import { readAudit } from './registrations/read-audit.ts';
import type { RegistrationCache } from './registrations/registration-cache.ts';
import { removeBundle } from './registrations/remove-bundle.ts';
import { setSecureConfiguration } from './registrations/set-secure-configuration.ts';
import { patchSettings, readSettings } from './registrations/settings.ts';
import { listSigningKeys, registerSigningKey, revokeSigningKey } from './registrations/signing-keys.ts';
import type { SecretKeeper } from './secrets/secret-keeper.ts';
import type { PlatformDatabase } from './store/platform-database.ts';
import { actOnMany } from './system-jobs/bulk-action.ts';
import { readJob } from './system-jobs/read-job.ts';
import { tracesOf } from './trace-log/traces-of.ts';

export interface ApiParts {
  readonly db: PlatformDatabase;
  readonly bus: WorkerBus;
  readonly bundles: BundleStore;
  readonly keys: KeyStore;
  readonly metadata: MetadataCache;
  readonly registrations: RegistrationCache;
  readonly secrets: SecretKeeper;
  readonly pool: string;
  readonly organizationId: string;
  readonly workerWaitMs: number;
  /** Tells the other dispatchers. */
  readonly announce: () => void;
  /** Users changed these system jobs. */
  readonly jobsChanged: (jobIds: readonly string[]) => void;
}

/** What stands behind the routes of `/api/airlock/v1/`. A change counts here before its answer is sent. */
export function createAirlockApi(parts: ApiParts): AirlockApi {
  const { db, bus, bundles, keys, metadata, registrations } = parts;
  const change = { db, secrets: parts.secrets, metadata: () => metadata.current, changed: parts.announce, now: () => Date.now() };
  const inspect = { bus, pool: parts.pool, organizationId: parts.organizationId, workerWaitMs: parts.workerWaitMs };
  const reloaded = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work;
    await registrations.changed();
    return result;
  };
  return {
    pushBundle: (call, upload, options) =>
      reloaded(pushBundle({ ...change, bundles, inspect: (bundle) => inspectBundle(inspect, bundle) }, upload, by(call), options)),
    listBundles: () => listBundles(db),
    removeBundle: (call, bundle) => reloaded(removeBundle(change, bundle, by(call))),
    registerSigningKey: (call, request) => registerSigningKey({ db }, request, by(call)),
    listSigningKeys: () => listSigningKeys(db),
    revokeSigningKey: (call, id) => revokeSigningKey({ db }, id, by(call)),
    readAudit: (_call, query) => readAudit(db, query),
    grantEgress: (call, stepId, request) => grantEgress(db, stepId, request, by(call)),
    listEgressGrants: (_call, stepId) => listGrants(db, stepId),
    revokeEgressGrant: (call, stepId, grantId) => revokeGrant(db, stepId, grantId, by(call)),
    readEgressLog: (_call, query) => readLedger(db, query),
    listSteps: () => listSteps(db),
    listPluginTypes: () => listPluginTypes(db),
    patchStep: async (call, stepId, patch) => void (await reloaded(patchStep(change, stepId, patch, by(call)))),
    setSecureConfiguration: (call, stepId, value) => reloaded(setSecureConfiguration(change, stepId, value, by(call))),
    defineTable: (call, definition, options) => applyDefinition(parts, call, definition, options),
    getSettings: () => readSettings(db),
    patchSettings: (call, patch) => reloaded(patchSettings(change, patch, by(call))),
    createUser: async (call, user) => {
      const systemuserid = await db.inTransaction(async (tx) => {
        const id = await createUser(tx, user, call.caller.userId);
        const changes = { role: user.role };
        await audit(tx, by(call), { action: 'create', objectType: 'systemuser', objectId: id, objectName: user.fullname, changes });
        return id;
      });
      return { systemuserid };
    },
    issueKey: (call, request) =>
      db.inTransaction(async (tx) => {
        const issued = await keys.issueKey({ ...request, createdBy: call.caller.userId }, tx);
        if (issued === undefined) throw new PlatformError('RECORD_NOT_FOUND', { table: 'User', id: request.systemuserid });
        const changes = { systemuserid: request.systemuserid, expiresOn: issued.expiresOn };
        await audit(tx, by(call), { action: 'issue-key', objectType: 'apikey', objectId: issued.id, objectName: request.name, changes });
        return issued;
      }),
    revokeKey: (call, keyId) =>
      db.inTransaction(async (tx) => {
        if (!(await keys.revokeKey(keyId, tx))) throw new PlatformError('RECORD_NOT_FOUND', { table: 'API key', id: keyId });
        await audit(tx, by(call), { action: 'revoke-key', objectType: 'apikey', objectId: keyId, objectName: keyId, changes: [] });
      }),
    actOnJobs: ({ caller }, action, request) => actOnMany({ db, actor: caller.userId, changed: parts.jobsChanged }, action, request),
    readJob: (_call, jobId) =>
      readJob(
        {
          db,
          workers: () => bus.directory.list(),
          stepLimit: (stepId) => [...registrations.current.stepsById.values()].find(({ id }) => id === stepId)?.maxConcurrency,
          nowMs: () => Date.now(),
        },
        jobId,
      ),
    listWorkers: async () => bus.directory.list().map(({ address, hello }) => ({ ...address, ...hello })),
    listTraces: (_call, traceId) => tracesOf(db, traceId),
  };
}

const by = ({ caller, trace }: AirlockCall): AuditedCaller => ({ ...caller, traceId: trace.traceId });

async function applyDefinition(
  parts: ApiParts,
  call: AirlockCall,
  definition: TableDefinition,
  { plan }: { readonly plan: boolean },
): Promise<unknown> {
  const { db, metadata } = parts;
  if (plan) return { created: false, changed: false, statements: planTable(metadata.current, definition) };
  const result = await db.inTransaction(async (tx) => {
    const defined = await defineTable(tx, definition);
    if (defined.changed) {
      await audit(tx, by(call), {
        action: 'define',
        objectType: 'table',
        objectId: definition.logicalName,
        objectName: definition.displayName,
        changes: [],
      });
    }
    return defined;
  });
  await metadata.changed();
  await ensureMessages(db, metadata.current);
  parts.announce();
  return result;
}
