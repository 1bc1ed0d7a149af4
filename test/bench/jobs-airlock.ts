import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { type BenchAirlock, startBenchAirlock } from './airlock-in-process.ts';
import type { BenchServers } from './case.ts';

/** What the bench asks of the queue: jobs of one small plug-in, and when they are done. */
export interface BenchJobs extends AsyncDisposable {
  readonly airlock: BenchAirlock;
  readonly sql: postgres.Sql;
  /** Puts copies of the table's job into the queue in one transaction. */
  enqueue(table: string, count: number): Promise<void>;
  /** Resolves when no job is left that may start or runs. */
  drained(): Promise<void>;
}

/** Changes nothing and calls nobody: what is measured is the way there and back. */
export function jobBundle(table: string): string {
  const step = { name: table, message: 'Create', table, stage: 'PostOperation', mode: 'Asynchronous' };
  return `exports.job = { kind: 'airlock.plugin', steps: ${JSON.stringify([step])}, execute(context) { context.executionContext.sharedVariables.checked = context.target.attributes.name; } };`;
}

const LOOK_EVERY_MS = 5;

export async function startBenchJobs(servers: BenchServers, database: string): Promise<BenchJobs> {
  const stack = new AsyncDisposableStack();
  const databaseUrl = await servers.database(database);
  const airlock = stack.use(await startBenchAirlock({ databaseUrl, natsUrl: servers.natsUrl }, { capacity: 2, pool: database }));
  const sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
  stack.defer(() => sql.end({ timeout: 5 }));
  const drained = async () => {
    for (;;) {
      const rows = await sql`select 1 from airlock.asyncoperation where statecode < 3 limit 1`;
      if (rows.length === 0) return;
      await delay(LOOK_EVERY_MS);
    }
  };
  return {
    airlock,
    sql,
    drained,
    enqueue: async (table, count) => {
      const [row] = await sql`select to_jsonb(j) as job from airlock.asyncoperation j where name = ${table} limit 1`;
      if (row === undefined) throw new Error(`no job of ${table} was ever queued`);
      await sql`
        insert into airlock.asyncoperation (name, messagename, primaryentitytype, regardingobjectid, regardingobjectidtype, owningextensionid,
          correlationid, requestid, depth, data, asyncautodelete, pool, bundledigest, traceparent, ownerid, createdby, modifiedby)
        select name, messagename, primaryentitytype, regardingobjectid, regardingobjectidtype, owningextensionid, correlationid, requestid, depth,
          data, asyncautodelete, pool, bundledigest, traceparent, ownerid, createdby, modifiedby
        from airlock.asyncoperation, generate_series(1, ${count})
        where asyncoperationid = ${String((row['job'] as Readonly<Record<string, unknown>>)['asyncoperationid'])}`;
      airlock.dispatcher.operations.jobsQueued('free');
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A table whose Create queues one job, with one job of it done already. */
export async function withJobTable(jobs: BenchJobs, table: string, { stateless }: { readonly stateless: boolean }): Promise<void> {
  await jobs.airlock.defineTable(table);
  await jobs.airlock.pushBundle(table, jobBundle(table), { stateless });
  await jobs.airlock.create(table);
  await jobs.drained();
}
