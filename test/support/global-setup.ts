import { randomBytes } from 'node:crypto';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tryDirectoryLock, withDirectoryLock } from '@airlock/local/directory-lock';
import { findNatsServer } from '@airlock/local/nats-binary';
import { type LocalPostgres, startPostgres } from '@airlock/local/postgres';
import { findBwrap } from '@airlock/sandbox-worker/bwrap-binary';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The maintenance database of the cluster that this run's test databases are made in. */
    postgresUrl: string;
    /** Tells the databases of this run from those of another one on the same server. */
    runId: string;
  }
}

const AIRLOCK = fileURLToPath(new URL('../../.airlock/', import.meta.url));
const STATE = join(AIRLOCK, 'test');
const MAX_RUNS_AT_ONCE = 16;

/** In a cluster of ours: what earlier runs left (databases of failed files were kept until now). On a given server: this run's templates. */
async function dropDatabases(url: string, prefix: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  const rows = await sql<{ datname: string }[]>`select datname from pg_database where starts_with(datname, ${prefix})`;
  for (const { datname } of rows) await sql`drop database ${sql(datname)} with (force)`;
  await sql.end();
}

/** A cluster stays on disk between runs (making one takes a second, starting one a fifth of that); runs at once have one each. */
async function startCluster(): Promise<{ readonly server: LocalPostgres; readonly release: () => Promise<void> }> {
  for (let slot = 0; slot < MAX_RUNS_AT_ONCE; slot++) {
    const release = await tryDirectoryLock(join(STATE, `postgres-${slot}.lock`));
    if (release === undefined) continue;
    try {
      const server = await startPostgres({ directory: join(STATE, `postgres-${slot}`), durability: 'throw-away', maxConnections: 300 });
      await dropDatabases(server.url, 'test_');
      return { server, release };
    } catch (error) {
      await release();
      throw error;
    }
  }
  throw new Error(`More than ${MAX_RUNS_AT_ONCE} test runs use ${STATE} at once.`);
}

/** Test processes inherit PATH from here: whoever starts "nats-server" finds the one that was installed. */
async function putNatsOnPath(): Promise<void> {
  const binary = await withDirectoryLock(join(AIRLOCK, 'nats.lock'), () => findNatsServer(join(AIRLOCK, 'toolchain')));
  if (isAbsolute(binary)) process.env['PATH'] = `${dirname(binary)}${delimiter}${process.env['PATH'] ?? ''}`;
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const runId = randomBytes(4).toString('hex');
  project.provide('runId', runId);
  await putNatsOnPath();
  // Workers find it there by themselves; where it cannot be had, they run with the next best layers.
  await withDirectoryLock(join(AIRLOCK, 'bwrap.lock'), () => findBwrap(join(AIRLOCK, 'toolchain')));
  const given = process.env['DATABASE_URL'];
  if (given !== undefined && given !== '') {
    project.provide('postgresUrl', given);
    return () => dropDatabases(given, `test_template_${runId}_`);
  }
  const { server, release } = await startCluster();
  project.provide('postgresUrl', server.url);
  return async () => {
    await server.stop();
    await release();
  };
}
