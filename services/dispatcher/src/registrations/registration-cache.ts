import type { Logger } from '@airlock/telemetry';
import { noMasterKey, type SecretKeeper } from '../secrets/secret-keeper.ts';
import type { Queryable } from '../store/queryable.ts';
import { loadRegistrations, type Registrations, registrationsVersion } from './load-registrations.ts';

const DEFAULT_POLL_MS = 5_000;

export interface CacheOptions {
  readonly pollMs?: number;
  /** Opens secure configurations; without it, steps that have one fail when they are to run. */
  readonly secrets?: SecretKeeper;
}

/**
 * The registrations that operations run with: no query a request. Reloaded when another dispatcher says that something
 * changed; the slow poll is for a message that was lost. A reload that fails leaves the last good state in place.
 */
export class RegistrationCache implements AsyncDisposable {
  readonly #db: Queryable;
  readonly #log: Logger;
  readonly #secrets: SecretKeeper;
  readonly #pollMs: number;
  #current: Registrations;
  #loading: Promise<void> | undefined;
  #askedAgain = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(db: Queryable, log: Logger, first: Registrations, { pollMs = DEFAULT_POLL_MS, secrets = noMasterKey }: CacheOptions) {
    this.#db = db;
    this.#log = log;
    this.#current = first;
    this.#secrets = secrets;
    this.#pollMs = pollMs;
    this.#warn();
    this.#poll();
  }

  /** Throws when the first load fails: a dispatcher without registrations would let operations pass unchecked. */
  static async start(db: Queryable, log: Logger, options: CacheOptions = {}): Promise<RegistrationCache> {
    return new RegistrationCache(db, log, await loadRegistrations(db, options.secrets), options);
  }

  get current(): Registrations {
    return this.#current;
  }

  /** Something changed. Resolves when a state read after this call is current, or the read failed and was logged. */
  changed(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#loading === undefined) {
      this.#loading = this.#reloadUntilQuiet();
    } else this.#askedAgain = true;
    return this.#loading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#loading;
  }

  async #reloadUntilQuiet(): Promise<void> {
    try {
      do {
        this.#askedAgain = false;
        await this.#reload();
      } while (this.#askedAgain && !this.#closed);
    } finally {
      // In the same turn as the check above: later, a call in between would be told that its change is being read.
      this.#loading = undefined;
    }
  }

  async #reload(): Promise<void> {
    try {
      const loaded = await loadRegistrations(this.#db, this.#secrets);
      // Reads of two connections may overtake each other; an older state must not replace a newer one.
      if (loaded.version < this.#current.version) return;
      this.#current = loaded;
      this.#warn();
    } catch (error) {
      this.#log.error({ err: error, version: this.#current.version }, 'registrations could not be read; the last good ones stay in use');
    }
  }

  #warn(): void {
    for (const unreadable of this.#current.unreadable) this.#log.error(unreadable, 'a step cannot run: its secure configuration cannot be opened');
  }

  #poll(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      void this.#reloadWhenBehind().finally(() => this.#poll());
    }, this.#pollMs);
    this.#timer.unref();
  }

  async #reloadWhenBehind(): Promise<void> {
    try {
      if ((await registrationsVersion(this.#db)) > this.#current.version) await this.changed();
    } catch (error) {
      if (!this.#closed) this.#log.warn({ err: error }, 'the version of the registrations could not be read');
    }
  }
}
