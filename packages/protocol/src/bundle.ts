import { z } from 'zod';
import { PROTOCOL_VERSION } from './assignment.ts';

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

export const MAX_BUNDLE_BYTES = 4 * 1024 * 1024;
export const MAX_SOURCE_MAP_BYTES = 8 * 1024 * 1024;
/** Stays below NATS' default `max_payload` of 1 MB with the envelope. */
export const BUNDLE_CHUNK_CHARS = 512 * 1024;

/**
 * Worker → dispatcher that assigned an execution of it. The worker checks the SHA-256 of what it gets, so any dispatcher may
 * answer, and a wrong answer is only a failed one.
 */
export const BundleRequest = z.object({
  version: z.literal(PROTOCOL_VERSION),
  kind: z.literal('bundle'),
  requestId: id,
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  part: z.enum(['code', 'source-map']),
  chunk: z.int().nonnegative(),
});
export type BundleRequest = z.output<typeof BundleRequest>;

/** Envelope; line 2 is the chunk as a JSON string: `BUNDLE_CHUNK_BYTES` of the blob, base64. `chunks` 0: there is none. */
export const BundleChunk = z.object({
  version: z.literal(PROTOCOL_VERSION),
  kind: z.literal('bundle-chunk'),
  requestId: id,
  chunk: z.int().nonnegative(),
  chunks: z.int().nonnegative().max(64),
});
export type BundleChunk = z.output<typeof BundleChunk>;

/** Bytes of the blob in one chunk (base64 makes them `BUNDLE_CHUNK_CHARS` at most). */
export const BUNDLE_CHUNK_BYTES = 384 * 1024;

export const WorkerInbound = z.discriminatedUnion('kind', [
  z.object({ version: z.literal(PROTOCOL_VERSION), kind: z.literal('answer'), executionId: id, callId: z.int().nonnegative(), ok: z.boolean() }),
  BundleChunk,
]);
export type WorkerInbound = z.output<typeof WorkerInbound>;
