import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { type ManagedProcess, startProcess } from './managed-process.ts';
import { preferPort } from './ports.ts';
import { type PostgresAccount, postgresAccount } from './postgres-account.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';

const USER = 'airlock';
const READY_WITHIN_MS = 60_000;
const START_TRIES = 5;
const run = promisify(execFile);

export interface PostgresOptions {
  /** Holds the data, the password, the port of the last time and the log. */
  readonly directory: string;
  /** `throw-away` gives up durability for speed: for clusters that no test needs after a crash. */
  readonly durability: 'durable' | 'throw-away';
  readonly maxConnections?: number;
}

export interface LocalPostgres extends AsyncDisposable {
  /** Of the maintenance database; `urlOf` of any other. */
  readonly url: string;
  readonly port: number;
  readonly process: ManagedProcess;
  urlOf(database: string): string;
  stop(): Promise<void>;
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

async function makeCluster(directory: string, data: string, initdb: string, account: PostgresAccount): Promise<void> {
  await rm(data, { recursive: true, force: true });
  await mkdir(data, { recursive: true, mode: 0o700 });
  account.own(data);
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  const args = [`--pgdata=${data}`, `--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'];
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions'];
  const { command, args: wrapped } = account.wrap(initdb, [...args, ...locale, '--no-sync']);
  await run(command, [...wrapped], { env: { PATH: process.env['PATH'], LC_ALL: 'C' } }).catch((cause: unknown) => {
    throw new Error(`The database cluster in ${data} could not be made: ${String(cause)}`, { cause });
  });
  // Written last: a cluster without it was interrupted while it was made, and is made anew.
  await writeFile(join(directory, 'complete'), '');
}

const SETTINGS = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'timezone=UTC', 'log_timezone=UTC', 'log_min_messages=warning'];
const THROW_AWAY = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'autovacuum_naptime=10s'];

/** True when the server accepts a login. False while it starts. Anything else that is wrong is thrown. */
async function accepts(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => undefined });
  try {
    await sql`select 1`;
    return true;
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    if (code === '57P03' || code === 'ECONNREFUSED' || code === 'CONNECT_TIMEOUT' || code === 'ECONNRESET' || code === 'CONNECTION_CLOSED')
      return false;
    throw error;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function waitUntilReady(server: ManagedProcess, url: string): Promise<'ready' | 'ended'> {
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  for (const until = Date.now() + READY_WITHIN_MS; Date.now() < until; await delay(40)) {
    if (ended) return 'ended';
    if (await accepts(url)) return 'ready';
  }
  await server.stop();
  throw new Error(`Postgres was not ready within ${READY_WITHIN_MS} ms:\n${server.lines().slice(-20).join('\n')}`);
}

async function savedPort(directory: string): Promise<number | undefined> {
  const port = Number(await readFile(join(directory, 'port'), 'utf8').catch(() => ''));
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

/** Starts the cluster in `directory`, making it first when there is none. */
export async function startPostgres({ directory, durability, maxConnections = 100 }: PostgresOptions): Promise<LocalPostgres> {
  const binaries = await findPostgresBinaries();
  const account = postgresAccount();
  const data = join(directory, 'data');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (!(await exists(join(directory, 'complete')))) await makeCluster(directory, data, binaries.initdb, account);
  const password = (await readFile(join(directory, 'password'), 'utf8')).trim();

  let problem = '';
  for (let attempt = 0; attempt < START_TRIES; attempt++) {
    // Somebody else may take the port between the look and the start; the next round looks again.
    const port = await preferPort(await savedPort(directory));
    const urlOf = (database: string) => `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
    const settings = [...SETTINGS, `port=${port}`, `max_connections=${maxConnections}`, ...(durability === 'durable' ? [] : THROW_AWAY)];
    const { command, args } = account.wrap(binaries.postgres, ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]);
    const server = startProcess({
      name: 'postgres',
      command,
      args,
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      logFile: join(directory, 'postgres.log'),
      // Fast shutdown: ends sessions, writes a checkpoint.
      stopSignal: 'SIGINT',
      stopWithinMs: 20_000,
    });
    if ((await waitUntilReady(server, urlOf('postgres'))) === 'ready') {
      await writeFile(join(directory, 'port'), String(port));
      const stop = () => server.stop();
      return { url: urlOf('postgres'), port, process: server, urlOf, stop, [Symbol.asyncDispose]: stop };
    }
    problem = server.lines().slice(-20).join('\n');
    // The server of a launcher that was killed may still be ending; it needs a moment to let go of the directory.
    await delay(1_000);
  }
  throw new Error(`Postgres did not start in ${directory}:\n${problem}`);
}

/** Makes the database when it is not there yet. */
export async function ensureDatabase(server: LocalPostgres, name: string): Promise<string> {
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined });
  try {
    const [found] = await sql`select 1 from pg_database where datname = ${name}`;
    if (found === undefined) await sql`create database ${sql(name)}`;
    return server.urlOf(name);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
