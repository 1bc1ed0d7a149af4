import { PlatformError } from '@airlock/protocol';
import type { SQL } from 'drizzle-orm';
import { type Connection, ConnectionLostError, endsSession, neverConnected } from './connection.ts';
import type { Queryable, Row } from './queryable.ts';

/** A point to which a failed nested operation is taken back. */
export interface Savepoint {
  /** Sent without waiting: travels with the next statement. */
  release(): void;
  rollBack(): Promise<void>;
}

/**
 * The transaction of one operation. BEGIN is sent together with the first statement, and a last statement together with
 * COMMIT (measured: each saved round trip is a third of a short transaction). If the connection is lost, every further
 * statement and the commit fail: the driver's new connection knows nothing of the transaction.
 */
export class OperationTransaction implements Queryable {
  readonly #connection: Connection;
  #generation: number;
  #begun = false;
  #pending: Promise<void>[] = [];
  #savepoints = 0;
  #ended = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#generation = connection.generation;
  }

  /** With the first statement: a write of its own would wake Postgres, and its answer us, while a plug-in computes. */
  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    // Nothing of this transaction was on an earlier session.
    this.#generation = this.#connection.generation;
    this.#send('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE');
  }

  async query(statement: SQL): Promise<readonly Row[]> {
    this.#assertOpen();
    this.#begin();
    try {
      const rows = await this.#connection.query(statement);
      await this.#settle();
      return rows;
    } catch (cause) {
      // What a statement says that reached the session after ours (it is read-only there) is not what went wrong.
      throw this.#connection.generation === this.#generation ? cause : new ConnectionLostError({ cause });
    }
  }

  savepoint(): Savepoint {
    this.#assertOpen();
    this.#begin();
    const name = `s${(this.#savepoints += 1)}`;
    this.#send(`SAVEPOINT ${name}`);
    return {
      release: () => this.#send(`RELEASE SAVEPOINT ${name}`),
      rollBack: async () => {
        // What was sent before may have failed by now; the savepoint takes the transaction back behind it.
        await this.#settle().catch(() => undefined);
        this.#assertOpen();
        await this.#connection.command(`ROLLBACK TO SAVEPOINT ${name}`);
        this.#assertSameConnection();
      },
    };
  }

  /** Throws what the last statements threw; then nothing was committed. `OUTCOME_UNKNOWN`: the answer to COMMIT was lost. */
  async commit(): Promise<void> {
    this.#assertOpen();
    this.#ended = true;
    if (!this.#begun) return;
    await this.#committed(Promise.all([this.#connection.command('COMMIT'), this.#settle()]));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Where the last statement runs: it and COMMIT are sent in one go, one round trip and one flush. When it fails, Postgres
   * rolls back. What is asked after it (why did it find no row?) runs on `afterwards`.
   */
  lastStatement(afterwards: Queryable): Queryable {
    return { query: async (statement) => (this.#ended ? await afterwards.query(statement) : await this.#queryAndCommit(statement)) };
  }

  async #queryAndCommit(statement: SQL): Promise<readonly Row[]> {
    this.#assertOpen();
    this.#begin();
    this.#ended = true;
    const [rows] = await this.#committed(Promise.all([this.#connection.query(statement), this.#connection.command('COMMIT'), this.#settle()]));
    return rows;
  }

  /** From the moment in which COMMIT is sent, a lost connection no longer means that nothing was changed. */
  async #committed<T>(answers: Promise<T>): Promise<T> {
    try {
      const found = await answers;
      this.#assertSameConnection();
      return found;
    } catch (cause) {
      if (neverConnected(cause)) throw new ConnectionLostError({ cause });
      throw endsSession(cause) ? new PlatformError('OUTCOME_UNKNOWN', {}, { cause }) : cause;
    }
  }

  async rollBack(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#begun) return;
    await this.#settle().catch(() => undefined);
    if (this.#connection.generation !== this.#generation) return;
    await this.#connection.command('ROLLBACK').catch(() => undefined);
  }

  #send(command: string): void {
    const sent = this.#connection.command(command);
    // Awaited by the next `#settle`; until then a rejection must not count as unhandled.
    sent.catch(() => undefined);
    this.#pending.push(sent);
  }

  async #settle(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    await Promise.all(pending);
    this.#assertSameConnection();
  }

  #assertOpen(): void {
    if (this.#ended) throw new Error('the transaction has ended');
    this.#assertSameConnection();
  }

  #assertSameConnection(): void {
    if (this.#begun && this.#connection.generation !== this.#generation) throw new ConnectionLostError();
  }
}
