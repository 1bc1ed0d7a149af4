import type { Logger } from '@airlock/telemetry';
import type { Queryable } from '../store/queryable.ts';
import { loadMetadata } from './load-metadata.ts';
import type { Metadata } from './table.ts';

/** A change that another dispatcher made, and whose message was lost, counts after at most so long. */
const POLL_MS = 5_000;

/** The definitions that operations run with: no query a request. A reload that fails leaves the last good state in place. */
export class MetadataCache implements Disposable {
  readonly #db: Queryable;
  readonly #log: Logger;
  #current: Metadata;
  readonly #timer: NodeJS.Timeout;

  private constructor(db: Queryable, log: Logger, first: Metadata) {
    this.#db = db;
    this.#log = log;
    this.#current = first;
    this.#timer = setInterval(() => void this.changed(), POLL_MS);
    this.#timer.unref();
  }

  static async start(db: Queryable, log: Logger): Promise<MetadataCache> {
    return new MetadataCache(db, log, await loadMetadata(db));
  }

  get current(): Metadata {
    return this.#current;
  }

  /** Reads again if the version has grown. Never throws. */
  async changed(): Promise<void> {
    try {
      const loaded = await loadMetadata(this.#db);
      if (loaded.version >= this.#current.version) this.#current = loaded;
    } catch (error) {
      this.#log.error({ err: error, version: this.#current.version }, 'the metadata could not be read; the last good state stays in use');
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
