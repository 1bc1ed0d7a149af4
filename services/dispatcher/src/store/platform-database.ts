import { PlatformError } from '@airlock/protocol';
import type { SQL } from 'drizzle-orm';
import { Connection, type ConnectionSettings, isConnectionLost } from './connection.ts';
import { OperationTransaction } from './operation-transaction.ts';
import type { Queryable, Row } from './queryable.ts';

/**
 * The platform's own reads and writes (registrations, keys, trace log): a few connections of their own, so that a trace
 * log row never waits for a connection that an operation holds.
 */
export class PlatformDatabase implements Queryable, AsyncDisposable {
  readonly #shared: Connection;
  readonly #settings: ConnectionSettings;
  #transactions: Connection[];
  #queue: Promise<unknown> = Promise.resolve();

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    this.#shared = new Connection(settings, 'read-write');
    this.#transactions = [new Connection(settings, 'read-write')];
  }

  get settings(): ConnectionSettings {
    return this.#settings;
  }

  async query(statement: SQL): Promise<readonly Row[]> {
    try {
      return await this.#shared.query(statement);
    } catch (error) {
      throw retriableIfLost(error);
    }
  }

  /** Runs `work` in a transaction, one after the other; what it throws rolls back and is thrown on. */
  inTransaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const result = this.#queue.then(() => this.#transaction(work));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const [connection] = this.#transactions;
    if (connection === undefined) throw new Error('the database is closed');
    const tx = new OperationTransaction(connection);
    try {
      const value = await work(tx);
      await tx.commit();
      return value;
    } catch (error) {
      await tx.rollBack();
      throw retriableIfLost(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue;
    await Promise.all([this.#shared, ...this.#transactions].map((connection) => connection.close()));
    this.#transactions = [];
  }
}

/** Who signs in or pushes while the database restarts is told to come again, as callers of operations are. */
function retriableIfLost(error: unknown): unknown {
  if (!isConnectionLost(error)) return error;
  return new PlatformError('TRANSACTION_CONFLICT', { reason: 'the connection to the database was lost' }, { cause: error });
}
