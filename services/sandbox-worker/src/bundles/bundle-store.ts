import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BUNDLE_CHUNK_BYTES, type BundleRequest, MAX_BUNDLE_BYTES, MAX_SOURCE_MAP_BYTES, PROTOCOL_VERSION } from '@airlock/protocol';

type Part = BundleRequest['part'];

export interface BundleStoreOptions {
  /** Asks the dispatcher that assigned the bundle; the answer comes through `onChunk`. */
  readonly request: (dispatcherId: string, request: BundleRequest) => void;
  readonly cacheDirectory: string | undefined;
  readonly memoryBytes: number;
}

export interface BundleStore {
  /** What is at hand, without waiting: the code as a JSON string, ready for the pipe. */
  readonly codeAtHand: (digest: string) => string | undefined;
  /** Rejects with a `BundleError` that says why it is not to be had. */
  readonly code: (digest: string, dispatcherId: string, timeoutMs: number) => Promise<string>;
  readonly sourceMap: (digest: string, dispatcherId: string, timeoutMs: number) => Promise<string | undefined>;
  readonly onChunk: (requestId: string, chunk: number, chunks: number, base64: string) => void;
}

export class BundleError extends Error {
  override readonly name = 'BundleError';
}

interface Download {
  readonly resolve: (blob: Buffer | undefined) => void;
  readonly reject: (error: BundleError) => void;
  readonly ask: (chunk: number) => void;
  readonly maxBytes: number;
  chunks: Buffer[] | undefined;
  missing: number;
  bytes: number;
}

const maxBytesOf = { code: MAX_BUNDLE_BYTES, 'source-map': MAX_SOURCE_MAP_BYTES } as const satisfies Record<Part, number>;

/**
 * Bundles by their SHA-256. Whoever answers, what does not have the digest is not used, so the memory and the disk
 * may be shared by all organizations of the pool. A source map has no digest of its own: it is only ever read inside a sandbox.
 */
export function createBundleStore({ request, cacheDirectory, memoryBytes }: BundleStoreOptions): BundleStore {
  const memory = new Map<string, string>();
  let memoryUsed = 0;
  const downloads = new Map<string, Download>();
  const flights = new Map<string, Promise<Buffer | undefined>>();
  if (cacheDirectory !== undefined) mkdirSync(cacheDirectory, { recursive: true, mode: 0o700 });

  const keep = (key: string, json: string): string => {
    memory.delete(key);
    memory.set(key, json);
    memoryUsed += json.length;
    for (const [oldest, text] of memory) {
      if (memoryUsed <= memoryBytes || oldest === key) break;
      memory.delete(oldest);
      memoryUsed -= text.length;
    }
    return json;
  };

  const download = (digest: string, part: Part, dispatcherId: string, timeoutMs: number): Promise<Buffer | undefined> => {
    const key = `${digest}/${part}`;
    const flying = flights.get(key);
    if (flying !== undefined) return flying;
    const requestId = randomBytes(16).toString('base64url');
    const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
    const ask = (chunk: number) => request(dispatcherId, { version: PROTOCOL_VERSION, kind: 'bundle', requestId, digest, part, chunk });
    const timer = setTimeout(() => reject(new BundleError(`the dispatcher did not send it within ${timeoutMs} ms.`)), timeoutMs);
    downloads.set(requestId, { resolve, reject, ask, maxBytes: maxBytesOf[part], chunks: undefined, missing: 1, bytes: 0 });
    flights.set(key, promise);
    const end = () => {
      clearTimeout(timer);
      downloads.delete(requestId);
      flights.delete(key);
    };
    promise.then(end, end);
    ask(0);
    return promise;
  };

  const onDisk = (digest: string): string | undefined => {
    if (cacheDirectory === undefined) return undefined;
    try {
      const blob = readFileSync(path.join(cacheDirectory, digest));
      return digestOf(blob) === digest ? keep(digest, JSON.stringify(blob.toString('utf8'))) : undefined;
    } catch {
      return undefined;
    }
  };
  const toDisk = (digest: string, blob: Buffer): void => {
    if (cacheDirectory === undefined) return;
    const file = path.join(cacheDirectory, digest);
    const draft = `${file}.${randomBytes(6).toString('hex')}`;
    try {
      writeFileSync(draft, blob, { mode: 0o600 });
      renameSync(draft, file);
    } catch {
      // The cache is a convenience: a full or read-only disk costs a download at the next start.
    }
  };

  return {
    codeAtHand: (digest) => memory.get(digest),
    code: async (digest, dispatcherId, timeoutMs) => {
      const known = memory.get(digest) ?? onDisk(digest);
      if (known !== undefined) return known;
      const blob = await download(digest, 'code', dispatcherId, timeoutMs);
      if (blob === undefined) throw new BundleError('the dispatcher does not have it.');
      if (digestOf(blob) !== digest) throw new BundleError('what the dispatcher sent does not have its SHA-256.');
      toDisk(digest, blob);
      return keep(digest, JSON.stringify(blob.toString('utf8')));
    },
    sourceMap: async (digest, dispatcherId, timeoutMs) => {
      const key = `${digest}/source-map`;
      const known = memory.get(key);
      if (known !== undefined) return known === '' ? undefined : known;
      const blob = await download(digest, 'source-map', dispatcherId, timeoutMs);
      const json = keep(key, blob === undefined ? '' : JSON.stringify(blob.toString('utf8')));
      return json === '' ? undefined : json;
    },
    onChunk: (requestId, chunk, chunks, base64) => {
      const open = downloads.get(requestId);
      if (open === undefined) return;
      if (chunks === 0) return open.resolve(undefined);
      if (open.chunks === undefined) {
        if (chunk !== 0 || chunks * BUNDLE_CHUNK_BYTES > open.maxBytes + BUNDLE_CHUNK_BYTES) {
          return open.reject(new BundleError('the dispatcher announced more than a bundle may hold.'));
        }
        open.chunks = new Array<Buffer>(chunks);
        open.missing = chunks;
        for (let next = 1; next < chunks; next += 1) open.ask(next);
      }
      if (chunk >= open.chunks.length || open.chunks[chunk] !== undefined) return;
      const bytes = Buffer.from(base64, 'base64');
      open.chunks[chunk] = bytes;
      open.bytes += bytes.length;
      open.missing -= 1;
      if (open.bytes > open.maxBytes) open.reject(new BundleError('it is larger than a bundle may be.'));
      else if (open.missing === 0) open.resolve(Buffer.concat(open.chunks, open.bytes));
    },
  };
}

const digestOf = (blob: Buffer): string => createHash('sha256').update(blob).digest('hex');
