import { PlatformError } from '@airlock/protocol';
import { Connection, type ConnectionSettings } from './connection.ts';
import { OperationTransaction } from './operation-transaction.ts';
import type { Queryable } from './queryable.ts';

interface Waiter {
  readonly grant: (connection: Connection) => void;
  readonly refuse: (error: PlatformError) => void;
  readonly timer: NodeJS.Timeout;
}

export interface AdmissionLimits {
  readonly connections: number;
  /** Operations that may wait for a connection; the next one is refused at once. */
  readonly waiting: number;
  readonly waitMs: number;
}

/**
 * The right of one operation and everything nested in it to one connection. Holding it from before the first step means
 * that an admitted operation never waits for a connection while it holds a worker's slot: the two cannot deadlock.
 */
export interface Admission extends AsyncDisposable {
  readonly queryable: Queryable;
  /** Opens a transaction; the statement travels with the next one. */
  begin(): OperationTransaction;
}

/** The connections of operations, and the admission control in front of them. */
export class OperationConnections implements AsyncDisposable {
  #idle: Connection[];
  #all: readonly Connection[];
  #waiting: Waiter[] = [];
  readonly #limits: AdmissionLimits;

  constructor(settings: ConnectionSettings, limits: AdmissionLimits) {
    this.#limits = limits;
    this.#all = Array.from({ length: limits.connections }, () => new Connection(settings, 'read-only-outside-transactions'));
    this.#idle = [...this.#all];
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Throws `OVERLOADED` when too many wait already, or when none came free in time. */
  async admit(): Promise<Admission> {
    const connection = this.#idle.pop() ?? (await this.#wait());
    let released = false;
    return {
      queryable: connection,
      begin: () => new OperationTransaction(connection),
      [Symbol.asyncDispose]: async () => {
        if (released) return;
        released = true;
        this.#release(connection);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const waiter of this.#waiting.splice(0)) {
      clearTimeout(waiter.timer);
      waiter.refuse(new PlatformError('SHUTTING_DOWN', { reference: '-' }));
    }
    await Promise.all(this.#all.map((connection) => connection.close()));
  }

  #release(connection: Connection): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#idle.push(connection);
      return;
    }
    clearTimeout(next.timer);
    next.grant(connection);
  }

  #overloaded(): PlatformError {
    return new PlatformError('OVERLOADED', { limit: this.#limits.connections + this.#limits.waiting, retryAfterSeconds: 1 });
  }

  #wait(): Promise<Connection> {
    if (this.#waiting.length >= this.#limits.waiting) return Promise.reject(this.#overloaded());
    return new Promise((grant, refuse) => {
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((waiter) => waiter.timer !== timer);
        refuse(this.#overloaded());
      }, this.#limits.waitMs);
      this.#waiting.push({ grant, refuse, timer });
    });
  }
}
