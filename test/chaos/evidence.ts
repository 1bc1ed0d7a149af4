import postgres from 'postgres';

export interface RecordRow {
  readonly id: string;
  readonly token: string;
  readonly stamped: string | null;
}

/** Written by a synchronous step inside of the operation: one for each operation that committed. */
export interface DetailRow {
  readonly id: string;
  readonly record: string;
  readonly token: string;
  readonly correlation: string;
  readonly operation: string;
}

/** Written by an attempt through a service call of its own. */
export interface AppendRow {
  readonly job: string;
  readonly run: string;
  readonly place: number;
  readonly correlation: string;
  readonly step: string;
}

export interface JobRow {
  readonly id: string;
  readonly step: string;
  readonly state: number;
  readonly status: number;
  readonly attempt: number;
  readonly retrycount: number;
  readonly correlation: string;
  readonly regarding: string | null;
  readonly waitingfor: string | null;
  readonly postponeuntil: Date | null;
  readonly leaseuntil: Date | null;
  readonly message: string | null;
}

export interface AttemptRow {
  readonly id: string;
  readonly job: string;
  readonly attempt: number;
  readonly counted: boolean;
  readonly started: Date;
  readonly ended: Date;
  readonly result: number;
  readonly failurekind: string | null;
  readonly traceid: string;
  readonly message: string | null;
}

export interface TraceRow {
  readonly step: string;
  readonly mode: number;
  readonly correlation: string;
  readonly job: string | null;
  readonly attempt: number | null;
  readonly traceid: string;
  readonly failurekind: string | null;
}

/** Everything that the run left in the database, read at one moment. */
export interface Evidence {
  readonly records: readonly RecordRow[];
  readonly details: readonly DetailRow[];
  /** Of the job that deletes itself when it succeeded; the row's id is the job's. */
  readonly ledger: readonly { readonly id: string; readonly correlation: string }[];
  /** In the order in which they were written. */
  readonly appends: readonly AppendRow[];
  readonly jobs: readonly JobRow[];
  readonly attempts: readonly AttemptRow[];
  readonly traces: readonly TraceRow[];
}

export const connectTo = (url: string): postgres.Sql => postgres(url, { max: 1, onnotice: () => undefined, connect_timeout: 5 });

export async function readEvidence(url: string): Promise<Evidence> {
  const sql = connectTo(url);
  try {
    return await sql.begin('isolation level repeatable read read only', async (tx) => ({
      records: await tx<RecordRow[]>`select chaosrecordid as id, token, stamped from data.chaosrecord`,
      details: await tx<DetailRow[]>`select chaosdetailid as id, record, token, correlation, operation from data.chaosdetail`,
      ledger: await tx<{ id: string; correlation: string }[]>`select chaosledgerid as id, correlation from data.chaosledger`,
      appends: await tx<AppendRow[]>`select job, run, place, correlation, step from data.chaosappend order by versionnumber`,
      jobs: await tx<JobRow[]>`
        select asyncoperationid as id, name as step, statecode as state, statuscode as status, attempt, retrycount, correlationid as correlation,
          regardingobjectid as regarding, waitingfor, postponeuntil, leaseuntil, message
        from airlock.asyncoperation`,
      attempts: await tx<AttemptRow[]>`
        select asyncoperationattemptid as id, asyncoperationid as job, attempt, counted, startedon as started, endedon as ended, result, failurekind,
          traceid, message
        from airlock.asyncoperationattempt order by startedon`,
      traces: await tx<TraceRow[]>`
        select stepname as step, mode, correlationid as correlation, asyncoperationid as job, attempt, traceid, failurekind from airlock.plugintracelog`,
    }));
  } finally {
    await sql.end({ timeout: 5 });
  }
}

export interface QueueState {
  readonly ready: number;
  readonly waiting: number;
  readonly running: number;
  /** How long the oldest lease has been over, in milliseconds; 0: none is. */
  readonly overdueMs: number;
}

export async function readQueue(sql: postgres.Sql): Promise<QueueState> {
  const [row] = await sql<{ ready: number; waiting: number; running: number; overdue: number }[]>`
    select count(*) filter (where statecode = 0)::int as ready, count(*) filter (where statecode = 1)::int as waiting,
      count(*) filter (where statecode = 2)::int as running,
      coalesce(max(extract(epoch from clock_timestamp() - leaseuntil) * 1000) filter (where statecode = 2), 0)::float8 as overdue
    from airlock.asyncoperation`;
  return { ready: row?.ready ?? 0, waiting: row?.waiting ?? 0, running: row?.running ?? 0, overdueMs: Math.max(0, row?.overdue ?? 0) };
}

/** Times of waiting retries, moved to now by the update that a user would send. */
export async function waitingForTime(sql: postgres.Sql): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select asyncoperationid as id from airlock.asyncoperation
    where statecode = 1 and waitingfor = 'retry' and postponeuntil > now() + interval '5 seconds'`;
  return rows.map(({ id }) => id);
}
