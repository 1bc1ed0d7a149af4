import type { SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import postgres, { type Sql } from 'postgres';
import { connectionTypes } from './connection-types.ts';
import type { Queryable, Row } from './queryable.ts';

export type ConnectionAccess = 'read-only-outside-transactions' | 'read-write';

export interface ConnectionSettings {
  readonly url: string;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly idleInTransactionTimeoutMs: number;
}

const dialect = new PgDialect();
/** Named statements stay on the server for the life of a connection, so their number has a bound: shapes beyond it run unnamed. */
const MAX_PREPARED_SHAPES = 500;

/** The connection was lost; whatever it had not committed is rolled back by the server. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
  constructor(options?: ErrorOptions) {
    super('the connection to Postgres was lost', options);
  }
}

/** SQLSTATE class 08 and its like, a server that takes nobody more, and the driver's own words for a connection that is not there. */
const LOST = /^(?:08\d{3}|57P0[1-5]|25P03|53300|ECONN\w+|EPIPE|CONNECTION_\w+|CONNECT_TIMEOUT)$/;

/** Nothing of the statement is known to have happened, and the same may succeed once the database is back. */
export function isConnectionLost(error: unknown): boolean {
  return error instanceof ConnectionLostError || LOST.test(error instanceof Error && 'code' in error ? String(error.code) : '');
}

/** SQLSTATE classes after which the session is gone although the server answered: shutdown, crash, timeouts of the session. */
const SESSION_ENDED = new Set(['57P01', '57P02', '57P03', '57P05', '25P03']);

const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'CONNECT_TIMEOUT', '57P03', '53300']);

/** The statement was not sent: there was no session to send it to. */
export function neverConnected(error: unknown): boolean {
  return NEVER_CONNECTED.has(error instanceof Error && 'code' in error ? String(error.code) : '');
}

export function endsSession(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return !(error instanceof postgres.PostgresError) || SESSION_ENDED.has(code);
}

/**
 * One connection, with statements sent without waiting for each other. `generation` counts the losses: a statement of a
 * transaction must never run on the connection that replaced its own.
 */
export class Connection implements Queryable {
  readonly #settings: ConnectionSettings;
  readonly #access: ConnectionAccess;
  /** The server ends a statement at `statementTimeoutMs`; when even that answer does not come, the connection is half open. */
  readonly #silenceMs: number;
  #client: Sql;
  #generation = 0;
  #closed = false;
  #prepared = new Set<string>();

  constructor(settings: ConnectionSettings, access: ConnectionAccess) {
    this.#settings = settings;
    this.#access = access;
    this.#silenceMs = settings.statementTimeoutMs + settings.lockTimeoutMs + 5_000;
    this.#client = this.#connect();
  }

  get generation(): number {
    return this.#generation;
  }

  async query(statement: SQL): Promise<readonly Row[]> {
    const { sql, params } = dialect.sqlToQuery(statement);
    const prepare = this.#prepared.has(sql) || this.#prepared.size < MAX_PREPARED_SHAPES;
    if (prepare) this.#prepared.add(sql);
    // The driver's parameter type is its own union; everything that reaches here was made by `coerceAttributes` or by us.
    return await this.#send(sql, params as never[], prepare);
  }

  /** A statement without parameters or rows (BEGIN, SAVEPOINT …), sent at once. */
  async command(text: string): Promise<void> {
    await this.#send(text, [], false);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.end({ timeout: 2 });
  }

  async #send(text: string, params: never[], prepare: boolean): Promise<readonly Row[]> {
    const generation = this.#generation;
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        if (this.#generation === generation) this.#replace();
        reject(new ConnectionLostError());
      }, this.#silenceMs);
    });
    try {
      return await Promise.race([this.#client.unsafe<Row[]>(text, params, { prepare }), silence]);
    } catch (error) {
      if (endsSession(error) && this.#generation === generation) this.#replace();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * A lost connection gets a new client rather than the driver's own reconnect: that one answers the first statement with
   * the error of the old session, and never answers one sent between a socket's `error` and its `close` (both seen).
   */
  #replace(): void {
    if (this.#closed) return;
    this.#generation += 1;
    this.#client.end({ timeout: 0 }).catch(() => undefined);
    this.#client = this.#connect();
  }

  #connect(): Sql {
    const { url, statementTimeoutMs, lockTimeoutMs, idleInTransactionTimeoutMs } = this.#settings;
    const client: Sql = postgres(url, {
      max: 1,
      fetch_types: false,
      idle_timeout: 0,
      max_lifetime: null,
      connect_timeout: 10,
      backoff: (retries) => Math.min(2, 0.05 * 2 ** retries),
      types: connectionTypes,
      onnotice: () => undefined,
      onclose: () => {
        if (client === this.#client) this.#replace();
      },
      connection: {
        application_name: 'airlock-dispatcher',
        TimeZone: 'UTC',
        statement_timeout: statementTimeoutMs,
        lock_timeout: lockTimeoutMs,
        idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
        // A write that lands outside its transaction (after a reconnect) must fail, not commit by itself.
        default_transaction_read_only: this.#access === 'read-only-outside-transactions',
      },
    });
    return client;
  }
}
