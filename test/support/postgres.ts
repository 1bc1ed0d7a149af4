import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
// For the type of `inject('postgresUrl')` in programs that include only this file.
import type {} from './global-setup.ts';

export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
  drop(): Promise<void>;
}

/** Fills a template once per cluster; `name` says what is in it. */
export interface Template {
  readonly name: string;
  fill(url: string): Promise<void>;
}

function urlOf(database: string): string {
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${database}`;
  return url.href;
}

async function onServer<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(inject('postgresUrl'), { max: 1, onnotice: () => undefined });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

const runTag = () => (process.env['VITEST_POOL_ID'] ?? '0').padStart(2, '0');

/** The lock makes the second file wait for the first one to fill the template, instead of filling it again. */
async function ensureTemplate(sql: postgres.Sql, template: Template): Promise<string> {
  const name = `test_template_${inject('runId')}_${template.name}`;
  await sql`select pg_advisory_lock(7201, hashtext(${name}))`;
  try {
    const [found] = await sql`select 1 from pg_database where datname = ${name} and datistemplate is false and datallowconn is false`;
    if (found !== undefined) return name;
    await sql`drop database if exists ${sql(name)} with (force)`;
    await sql`create database ${sql(name)}`;
    await template.fill(urlOf(name));
    // No connections: nobody changes it, and cloning never waits for a session. It is also the mark that it is complete.
    await sql.unsafe(`alter database ${name} allow_connections false`);
    return name;
  } finally {
    await sql`select pg_advisory_unlock(7201, hashtext(${name}))`;
  }
}

/** A database of its own, empty or a clone of the template. The caller disposes of it. */
export async function createDatabase({ template }: { readonly template?: Template } = {}): Promise<TestDatabase> {
  const name = `test_${runTag()}_${randomBytes(6).toString('hex')}`;
  await onServer(async (sql) => {
    if (template === undefined) await sql`create database ${sql(name)}`;
    else await sql`create database ${sql(name)} template ${sql(await ensureTemplate(sql, template))}`;
  });
  const drop = () => onServer(async (sql) => void (await sql`drop database if exists ${sql(name)} with (force)`));
  return { name, url: urlOf(name), drop, [Symbol.asyncDispose]: drop };
}

/** One database for the file that calls this at its top; kept, and named, when a test of the file fails. */
export function useDatabase(options: { readonly template?: Template } = {}): { readonly url: string; readonly name: string } {
  let database: TestDatabase | undefined;
  let failed = false;
  const made = () => {
    if (database === undefined) throw new Error('the database is there from beforeAll on');
    return database;
  };
  beforeAll(async () => {
    database = await createDatabase(options);
  }, 60_000);
  afterEach(({ task }) => {
    failed ||= task.result?.state === 'fail';
  });
  afterAll(async () => {
    if (database === undefined) return;
    if (failed) process.stderr.write(`The database ${database.name} of the failed file is kept: ${database.url}\n`);
    else await database.drop();
  });
  return {
    get url() {
      return made().url;
    },
    get name() {
      return made().name;
    },
  };
}
