import type { BundleDigest } from '@airlock/pipeline';
import { BUNDLE_CHUNK_BYTES, BundleRequest, encodeFrame, PROTOCOL_VERSION, type WorkerAddress } from '@airlock/protocol';
import type { WorkerConduct } from './worker-conduct.ts';

export interface BundleDeskOptions {
  readonly conduct: WorkerConduct;
  /** Whether a run that the worker has now needs the bundle. */
  readonly isEntitled: (worker: WorkerAddress, digest: string) => boolean;
  readonly readBundle: (digest: BundleDigest, part: 'code' | 'source-map') => Promise<Uint8Array | undefined>;
  readonly answer: (worker: WorkerAddress, frame: string) => void;
  readonly onProblem: (worker: WorkerAddress, error: unknown) => void;
}

/** An answer has a thousand times the bytes of its question, so a worker gets them a few at a time. */
const AT_ONCE = 4;
/** A worker asks for all chunks of a bundle at once, at most 22, and for those of many bundles when it starts cold. */
const MAX_WAITING = 1_024;

interface Line {
  serving: number;
  readonly waiting: BundleRequest[];
}

/** Hands out bundles, chunk by chunk. A worker gets only those that its runs need; of others it learns that there are none. */
export class BundleDesk {
  readonly #options: BundleDeskOptions;
  readonly #lines = new Map<string, Line>();

  constructor(options: BundleDeskOptions) {
    this.#options = options;
  }

  request(worker: WorkerAddress, envelope: unknown): void {
    const request = BundleRequest.parse(envelope);
    const { conduct, isEntitled } = this.#options;
    if (!isEntitled(worker, request.digest)) {
      // A run that was cancelled a moment ago asks like this too; it must not wait for an answer that never comes.
      conduct.offend(worker, 'not entitled', { detail: `the bundle ${request.digest} is of no run of it` });
      return this.#send(worker, request, undefined);
    }
    const key = `${worker.pool}.${worker.workerId}`;
    const line = this.#lines.get(key) ?? { serving: 0, waiting: [] };
    if (line.waiting.length >= MAX_WAITING) return conduct.offend(worker, 'too many requests', { detail: 'bundles' });
    line.waiting.push(request);
    this.#lines.set(key, line);
    if (line.serving < AT_ONCE) void this.#serve(worker, key, line);
  }

  async #serve(worker: WorkerAddress, key: string, line: Line): Promise<void> {
    line.serving += 1;
    for (let next = line.waiting.shift(); next !== undefined; next = line.waiting.shift()) {
      try {
        // The run may have ended, or the worker have been quarantined, while the request waited. The schema says what a digest is.
        const entitled = this.#options.isEntitled(worker, next.digest) && !this.#options.conduct.isQuarantined(worker);
        this.#send(worker, next, entitled ? await this.#options.readBundle(next.digest as BundleDigest, next.part) : undefined);
      } catch (error) {
        this.#options.onProblem(worker, error);
      }
    }
    line.serving -= 1;
    if (line.serving === 0) this.#lines.delete(key);
  }

  #send(worker: WorkerAddress, { requestId, chunk }: BundleRequest, bytes: Uint8Array | undefined): void {
    const chunks = bytes === undefined ? 0 : Math.max(1, Math.ceil(bytes.byteLength / BUNDLE_CHUNK_BYTES));
    const from = chunk * BUNDLE_CHUNK_BYTES;
    const data = bytes === undefined || chunk >= chunks ? '' : Buffer.from(bytes.subarray(from, from + BUNDLE_CHUNK_BYTES)).toString('base64');
    const envelope = { version: PROTOCOL_VERSION, kind: 'bundle-chunk', requestId, chunk, chunks };
    this.#options.answer(worker, encodeFrame([JSON.stringify(envelope), JSON.stringify(data)]));
  }
}
