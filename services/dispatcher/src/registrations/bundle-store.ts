import type { BundleDigest } from '@airlock/pipeline';
import { sql } from 'drizzle-orm';
import type { Queryable } from '../store/queryable.ts';

export type BundlePart = 'code' | 'source-map';

export interface BundleParts {
  readonly code: Uint8Array;
  readonly sourceMap: Uint8Array | undefined;
}

/** Enough for some dozens of large bundles; workers keep their own copies, so this serves start-up peaks. */
const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;

/**
 * Serves bundles by digest. A digest never changes what it means, so what is cached is never stale. A bundle under
 * inspection is served from memory: it is stored only after the inspection has passed.
 */
export class BundleStore {
  readonly #db: Queryable;
  readonly #maxBytes: number;
  /** In the order of last use, oldest first. */
  readonly #cache = new Map<string, Uint8Array>();
  readonly #reading = new Map<string, Promise<Uint8Array | undefined>>();
  readonly #candidates = new Map<BundleDigest, { readonly parts: BundleParts; offers: number }>();
  #bytes = 0;

  constructor(db: Queryable, options: { readonly cacheBytes?: number } = {}) {
    this.#db = db;
    this.#maxBytes = options.cacheBytes ?? DEFAULT_CACHE_BYTES;
  }

  /** `undefined`: there is no such bundle, or it has no such part. */
  async readPart(digest: BundleDigest, part: BundlePart): Promise<Uint8Array | undefined> {
    const candidate = this.#candidates.get(digest);
    if (candidate !== undefined) return part === 'code' ? candidate.parts.code : candidate.parts.sourceMap;
    const key = `${digest} ${part}`;
    const cached = this.#cache.get(key);
    if (cached !== undefined) {
      this.#cache.delete(key);
      this.#cache.set(key, cached);
      return cached;
    }
    return await this.#readOnce(key, digest, part);
  }

  /** Serves a bundle that is not stored yet until the returned offer is disposed of. */
  offer(digest: BundleDigest, parts: BundleParts): Disposable {
    const candidate = this.#candidates.get(digest) ?? { parts, offers: 0 };
    candidate.offers += 1;
    this.#candidates.set(digest, candidate);
    return {
      [Symbol.dispose]: () => {
        candidate.offers -= 1;
        if (candidate.offers === 0) this.#candidates.delete(digest);
      },
    };
  }

  /** Every worker asks for a fresh bundle in the same moment: they share one read. */
  #readOnce(key: string, digest: BundleDigest, part: BundlePart): Promise<Uint8Array | undefined> {
    const running = this.#reading.get(key);
    if (running !== undefined) return running;
    const reading = readBundlePart(this.#db, digest, part)
      .then((bytes) => {
        if (bytes !== undefined) this.#keep(key, bytes);
        return bytes;
      })
      .finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  #keep(key: string, bytes: Uint8Array): void {
    if (bytes.byteLength > this.#maxBytes) return;
    this.#cache.set(key, bytes);
    this.#bytes += bytes.byteLength;
    for (const [oldest, { byteLength }] of this.#cache) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#cache.delete(oldest);
      this.#bytes -= byteLength;
    }
  }
}

async function readBundlePart(db: Queryable, digest: BundleDigest, part: BundlePart): Promise<Uint8Array | undefined> {
  const column = part === 'code' ? sql`code` : sql`sourcemap`;
  const [row] = await db.query(sql`select ${column} as part from airlock.pluginassembly where digest = ${digest} order by ${column} is null limit 1`);
  const bytes = row?.['part'];
  return bytes instanceof Uint8Array ? bytes : undefined;
}
