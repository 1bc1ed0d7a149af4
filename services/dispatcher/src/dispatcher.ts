import { changedSubject } from '@airlock/protocol';
import type { Logger } from '@airlock/telemetry';
import { sql } from 'drizzle-orm';
import { createKeyStore, defaultKeyStoreOptions } from './access/keys.ts';
import { createAirlockApi } from './airlock-api.ts';
import { openConnection } from './bus/open-connection.ts';
import { WorkerBus } from './bus/worker-bus.ts';
import type { Config } from './config.ts';
import { openEgressClient } from './egress/egress-client.ts';
import { cleanUpLedger } from './egress/ledger.ts';
import { serveFetch } from './egress/serve-fetch.ts';
import { executeMessage } from './execute-message/execute-message.ts';
import type { OperationDependencies } from './execute-message/operation.ts';
import { UserDirectory } from './execute-message/user-directory.ts';
import { defaultHttpLimits } from './http/limits.ts';
import { type Admission, createServer, type Health } from './http/server.ts';
import { MetadataCache } from './metadata/metadata-cache.ts';
import { BundleStore } from './registrations/bundle-store.ts';
import { ensureMessages } from './registrations/ensure-messages.ts';
import { RegistrationCache } from './registrations/registration-cache.ts';
import { openSecretKeeper } from './secrets/open-secret-keeper.ts';
import type { ConnectionSettings } from './store/connection.ts';
import { migrate } from './store/migrate.ts';
import { OperationConnections } from './store/operation-connections.ts';
import { PlatformDatabase } from './store/platform-database.ts';
import { ROOT_BUSINESS_UNIT_ID } from './store/well-known.ts';
import { startJobs } from './system-jobs/start-jobs.ts';
import { cleanUpTraceLog } from './trace-log/clean-up.ts';
import { TraceLogWriter } from './trace-log/trace-log-writer.ts';

/** Leaves room for the envelope below NATS' `max_payload` of 1 MB. */
const CONTEXT_BYTES = 900 * 1024;
const CLEAN_UP_EVERY_MS = 10 * 60_000;
const EGRESS_LOG_RETENTION_MS = 90 * 24 * 3_600_000;
/** A shutdown lets attempts of system jobs run on for so long; then it gives them back. Shorter than the whole shutdown. */
const JOB_DRAIN_MS = 5_000;

export interface Dispatcher extends AsyncDisposable {
  readonly url: string;
  /** What executes messages: for those who run the pipeline in a process of their own (tests of plug-ins, the bench). */
  readonly operations: OperationDependencies;
}

/** A whole dispatcher: migrates, connects, listens. Disposing of it lets what runs end, then closes everything. */
export async function startDispatcher(config: Config, log: Logger): Promise<Dispatcher> {
  const stack = new AsyncDisposableStack();
  try {
    return await start(config, log, stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function start(config: Config, log: Logger, stack: AsyncDisposableStack): Promise<Dispatcher> {
  await migrate({ url: config.databaseUrl, organizationName: config.organizationName });
  const settings: ConnectionSettings = {
    url: config.databaseUrl,
    statementTimeoutMs: config.statementTimeoutMs,
    lockTimeoutMs: config.lockTimeoutMs,
    // A transaction idles while its plug-ins run, at most as long as the operation may last.
    idleInTransactionTimeoutMs: config.operationMs + 30_000,
  };
  const db = stack.use(new PlatformDatabase(settings));
  const traceDb = stack.use(new PlatformDatabase(settings));
  const connections = stack.use(
    new OperationConnections(settings, { connections: config.operations, waiting: config.operationsWaiting, waitMs: config.operationsWaitMs }),
  );
  const metadata = stack.use(await MetadataCache.start(db, log));
  await ensureMessages(db, metadata.current);
  const secrets = await openSecretKeeper(config.masterKeyFile, log);
  const registrations = stack.use(await RegistrationCache.start(db, log, { secrets }));
  const [organizationRow] = await db.query(sql`select organizationid, name from airlock.organization`);
  const organization = {
    organizationId: String(organizationRow?.['organizationid']),
    name: String(organizationRow?.['name']),
    businessUnitId: ROOT_BUSINESS_UNIT_ID,
  };

  // Set below: nothing runs yet that a broken connection could have lost.
  let renewed: () => void = () => undefined;
  const nats = stack.adopt(
    await openConnection({
      url: config.natsUrl,
      name: `airlock-dispatcher ${config.dispatcherId}`,
      files: config.natsFiles,
      // A subject that nobody allowed is silence otherwise: the dispatcher would look well and hear nothing.
      onRefused: (error) => log.error({ err: error }, 'the bus refused something that a dispatcher needs; see deploy/nats'),
      onReconnect: () => renewed(),
    }),
    (connection) => connection.close(),
  );
  const bundles = new BundleStore(db);
  const bus = stack.use(
    new WorkerBus({ connection: nats, dispatcherId: config.dispatcherId, log, readBundle: (digest, part) => bundles.readPart(digest, part) }),
  );
  renewed = () => {
    log.warn('the connection to the bus broke and is back; the executions that were under way are given up');
    bus.connectionRenewed();
    // What others announced meanwhile was not heard.
    void metadata.changed();
    void registrations.changed();
  };
  nats.subscribe(changedSubject, {
    callback: (error, message) => {
      if (error !== null || message.string() === config.dispatcherId) return;
      void metadata.changed();
      void registrations.changed();
    },
  });
  const keys = stack.use(
    createKeyStore(db, {
      ...defaultKeyStoreOptions,
      nowMs: () => Date.now(),
      onLastUsedFailed: (error) => log.warn({ err: error }, 'the last use of an API key could not be written'),
    }),
  );
  const traceLog = stack.use(new TraceLogWriter(traceDb, log));

  const egress = openEgressClient(nats, config.dispatcherId, log);

  const operations: OperationDependencies = {
    connections,
    bus,
    serveFetch: (call) => serveFetch({ db, client: egress, log }, call),
    registrations: () => registrations.current,
    metadata: () => metadata.current,
    users: new UserDirectory(db),
    traceLog,
    organization,
    pool: config.pool,
    limits: { operationMs: config.operationMs, workerWaitMs: config.workerWaitMs, contextBytes: CONTEXT_BYTES },
    jobsQueued: (kind) => jobs.runner.queued(kind),
    jobsChanged: (ids) => jobs.changed(ids),
    log,
  };
  const jobs = stack.use(
    startJobs({
      settings: {
        pool: config.pool,
        dispatcherId: config.dispatcherId,
        limit: config.jobs,
        leaseMs: config.jobLeaseMs,
        firstRetryMs: config.jobRetryMs,
        retentionMs: config.jobRetentionHours * 3_600_000,
        drainMs: JOB_DRAIN_MS,
      },
      database: settings,
      operations,
      nats,
      log,
    }),
  );

  /** Requests beyond what may run and wait are refused before their body is understood. */
  const admission: Admission = (() => {
    let inside = 0;
    const limit = config.operations + config.operationsWaiting;
    return {
      enter: () => {
        if (inside >= limit) return { ok: false, limit, retryAfterSeconds: 1 };
        inside += 1;
        return {
          ok: true,
          release: () => {
            inside -= 1;
          },
        };
      },
    };
  })();

  async function health(): Promise<Health> {
    const database = await db.query(sql`select 1`).then(
      () => true,
      () => false,
    );
    const connected =
      !nats.isClosed() &&
      (await nats.rtt().then(
        () => true,
        () => false,
      ));
    const workers = bus.directory.list().filter(({ hello }) => !hello.draining);
    // Each arrangement of sandbox layers that some worker runs with: more than one means that workers differ.
    const layers = [...new Set(workers.map(({ hello }) => hello.layers.join(' + ')))].toSorted();
    const ready = database && connected && workers.length > 0;
    return { ready, parts: { database, bus: connected, workers: workers.length, layers, egress: egress.health() } };
  }

  const server = createServer({
    executeMessage: (request) => executeMessage(operations, request),
    metadata: () => metadata.current,
    keys,
    airlock: createAirlockApi({
      db,
      bus,
      bundles,
      keys,
      metadata,
      registrations,
      secrets,
      pool: config.pool,
      organizationId: organization.organizationId,
      workerWaitMs: config.workerWaitMs,
      jobsChanged: (ids) => jobs.changed(ids),
      announce: () => nats.publish(changedSubject, config.dispatcherId),
    }),
    health,
    admission,
    organization,
    limits: { ...defaultHttpLimits, ...(config.ratePerKey !== undefined && { ratePerKey: config.ratePerKey }) },
    logger: log,
    nowMs: () => Date.now(),
    ...(config.publicOrigin !== undefined && { publicOrigin: config.publicOrigin }),
  });
  const url = await server.listen({ host: config.httpHost, port: config.httpPort });

  const cleanUp = () =>
    cleanUpTraceLog(traceDb, Date.now(), { retentionMs: config.traceLogRetentionHours * 3_600_000 }).catch((error: unknown) =>
      log.warn({ err: error }, 'the trace log could not be cleaned up'),
    );
  const cleanUpEgress = () =>
    cleanUpLedger(traceDb, Date.now() - EGRESS_LOG_RETENTION_MS).catch((error: unknown) =>
      log.warn({ err: error }, 'the ledger of egress could not be cleaned up'),
    );
  const cleanUpOldJobs = () => jobs.cleanUp().catch((error: unknown) => log.warn({ err: error }, 'old system jobs could not be deleted'));
  const cleaner = setInterval(() => {
    void cleanUp();
    void cleanUpEgress();
    void cleanUpOldJobs();
  }, CLEAN_UP_EVERY_MS);
  stack.defer(() => clearInterval(cleaner));
  // First to be disposed of: requests that are in come to their end while everything below them still stands.
  stack.defer(() => server.close());
  return { url, operations, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
