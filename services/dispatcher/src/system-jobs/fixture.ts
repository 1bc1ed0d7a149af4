import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type { Template } from '../../../../test/support/postgres.ts';
import { migrate } from '../store/migrate.ts';
import type { PlatformDatabase } from '../store/platform-database.ts';
import type { ClaimedJob, ClaimRequest } from './claim-jobs.ts';
import { openJobDatabase } from './job-database.ts';

/** What the tests of this folder share. */
export const migrated: Template = { name: 'system_jobs', fill: (url) => migrate({ url }) };

export const openQueue = (url: string): PlatformDatabase =>
  openJobDatabase({ url, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000, idleInTransactionTimeoutMs: 20_000 });

export interface QueuedRows {
  readonly count?: number;
  readonly step?: string;
  readonly key?: string;
  readonly priority?: number;
  readonly autoDelete?: boolean;
}

/** Puts jobs into the queue and says their ids, in their order. */
export async function enqueue(db: PlatformDatabase, { count = 1, step = randomUUID(), key, priority = 0, autoDelete = false }: QueuedRows = {}) {
  const rows = await db.query(sql`
    insert into airlock.asyncoperation (name, messagename, primaryentitytype, owningextensionid, correlationid, depth, data, dependencytoken,
      priority, asyncautodelete, bundledigest, ownerid, createdby)
    select 'job', 'Create', 'account', ${step}, gen_random_uuid(), 1, '{}', ${key ?? null}, ${priority}, ${autoDelete}, repeat('a', 64), gen_random_uuid(),
      gen_random_uuid()
    from generate_series(1, ${count}) returning asyncoperationid, sequence`);
  return rows.toSorted((a, b) => Number(a['sequence']) - Number(b['sequence'])).map((row) => String(row['asyncoperationid']));
}

export const request = (changes: Partial<ClaimRequest> = {}): ClaimRequest => ({
  pool: 'default',
  dispatcherId: 'd1',
  leaseMs: 10_000,
  limit: 10,
  after: '00000000-0000-0000-0000-000000000000',
  except: [],
  ...changes,
});

export const idsOf = (jobs: readonly ClaimedJob[]) => jobs.map(({ asyncoperationid }) => asyncoperationid);

export async function jobRow(db: PlatformDatabase, id: string) {
  const [row] = await db.query(sql`select * from airlock.asyncoperation where asyncoperationid = ${id}`);
  return row;
}

export async function attemptsOf(db: PlatformDatabase, id: string) {
  return await db.query(sql`select * from airlock.asyncoperationattempt where asyncoperationid = ${id} order by attempt, startedon`);
}
