import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres, { type Sql } from 'postgres';
import { messageIds, ROOT_BUSINESS_UNIT_ID, SYSTEM_USER_ID } from './well-known.ts';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));
/** Any number serves, as long as every version of Airlock takes the same. */
const MIGRATION_LOCK = 4_207_849_484;
const LOCK_WAIT = '120s';
const MINIMUM_SERVER_VERSION = 180_000;

export interface MigrationSettings {
  readonly url: string;
  /** Name of the organization when the database is new. */
  readonly organizationName?: string;
}

/**
 * Brings the database to the state that this version needs and fills in what must be there (organization, SYSTEM,
 * messages). Run by every dispatcher when it starts: the lock makes the second one wait and then find nothing to do.
 */
export async function migrate({ url, organizationName = 'Airlock' }: MigrationSettings): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => undefined, connection: { application_name: 'airlock-migrate', lock_timeout: 0 } });
  try {
    await requireServerVersion(client);
    await client.unsafe(`set lock_timeout = '${LOCK_WAIT}'`);
    // Of the session, so that a process that dies gives it back.
    await client`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await client.unsafe('create schema if not exists airlock');
    await applyMigrations(drizzle(client), { migrationsFolder: MIGRATIONS, migrationsSchema: 'airlock', migrationsTable: 'migration' });
    await seed(client, organizationName);
  } finally {
    await client.end({ timeout: 5 });
  }
}

async function requireServerVersion(client: Sql): Promise<void> {
  const [row] = await client<{ version: number }[]>`select current_setting('server_version_num')::integer as version`;
  if (row !== undefined && row.version >= MINIMUM_SERVER_VERSION) return;
  throw new Error(`Airlock needs PostgreSQL 18 or newer; the server that DATABASE_URL names is version ${row?.version ?? 'unknown'}.`);
}

async function seed(client: Sql, organizationName: string): Promise<void> {
  await client.begin(async (tx) => {
    await tx`
      insert into airlock.organization (name, businessunitid) values (${organizationName}, ${ROOT_BUSINESS_UNIT_ID})
      on conflict (singlerow) do nothing`;
    await tx`
      insert into airlock.systemuser (systemuserid, fullname, role, cansignin, businessunitid)
      values (${SYSTEM_USER_ID}, 'SYSTEM', 'operator', false, ${ROOT_BUSINESS_UNIT_ID})
      on conflict (systemuserid) do nothing`;
    for (const [name, id] of Object.entries(messageIds)) {
      await tx`
        insert into airlock.sdkmessage (sdkmessageid, name, categoryname) values (${id}, ${name}, 'CRUD')
        on conflict (name) do nothing`;
    }
  });
}
