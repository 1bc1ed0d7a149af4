import { fourAttempts } from '@airlock/pipeline';
import type { Logger } from '@airlock/telemetry';
import type { NatsConnection } from '@nats-io/transport-node';
import type { OperationDependencies } from '../execute-message/operation.ts';
import type { ConnectionSettings } from '../store/connection.ts';
import { OperationConnections } from '../store/operation-connections.ts';
import { cleanUpJobs } from './clean-up-jobs.ts';
import { openJobBell } from './job-bell.ts';
import { openJobDatabase, watchedSettings } from './job-database.ts';
import { JobRunner, type JobSettings } from './job-runner.ts';
import { runAttempt } from './run-attempt.ts';

export interface JobServices extends AsyncDisposable {
  readonly runner: JobRunner;
  /** Users changed these jobs: this dispatcher and the others look at them now. */
  changed(jobIds: readonly string[]): void;
  /** Deletes completed jobs that are older than the setting allows. */
  cleanUp(): Promise<number>;
}

export interface JobStart {
  readonly settings: Omit<JobSettings, 'policy'> & { readonly firstRetryMs: number; readonly retentionMs: number };
  readonly database: ConnectionSettings;
  readonly operations: OperationDependencies;
  readonly nats: NatsConnection;
  readonly log: Logger;
}

/** How long an attempt that is claimed waits for a worker before the job goes back. */
const WORKER_WAIT_MS = 5_000;

export function startJobs({ settings, database, operations, nats, log }: JobStart): JobServices {
  const db = openJobDatabase(database);
  const connections = new OperationConnections(watchedSettings(database), { connections: Math.max(1, settings.limit), waiting: 0, waitMs: 1 });
  const bell = openJobBell(nats, settings, {
    onWake: () => runner.wake(),
    onChanged: (ids) => runner.changed(ids),
  });
  const runner = new JobRunner({
    ...settings,
    policy: { ...fourAttempts, firstDelayMs: settings.firstRetryMs },
    db,
    log,
    registrations: operations.registrations,
    workers: () => operations.bus.directory.list(),
    run: (job, signal, ahead) => runAttempt({ operations, connections, workerWaitMs: WORKER_WAIT_MS, ahead }, job, signal),
    wakeOthers: () => bell.wake(),
  });
  return {
    runner,
    changed: (ids) => {
      runner.changed(ids);
      bell.changed(ids);
    },
    cleanUp: () => cleanUpJobs(db, { retentionMs: settings.retentionMs }),
    [Symbol.asyncDispose]: async () => {
      await runner[Symbol.asyncDispose]();
      bell[Symbol.dispose]();
      await connections[Symbol.asyncDispose]();
      await db[Symbol.asyncDispose]();
    },
  };
}
