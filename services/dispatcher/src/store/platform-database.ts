import type { SQL } from 'drizzle-orm';
import { Connection, type ConnectionSettings } from './connection.ts';
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
    return await this.#shared.query(statement);
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
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue;
    await Promise.all([this.#shared, ...this.#transactions].map((connection) => connection.close()));
    this.#transactions = [];
  }
}
