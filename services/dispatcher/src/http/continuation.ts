import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { PlatformError } from '@airlock/protocol';
import { z } from 'zod';

const MAX_OPTION_CHARS = 16_384;
const MAX_INFLATED_BYTES = 131_072;

/**
 * The `$skiptoken` of a next link. Rule (web-api T16): clients encode the link again and append a slash, so it must hold no
 * percent sign; the whole query travels inside as base64url and is parsed again like the first one. It grants nothing
 * that the query itself would not, so it is not signed.
 */
const Continuation = z.strictObject({
  version: z.literal(1),
  options: z.record(z.string().max(64), z.string().max(MAX_OPTION_CHARS)),
  /** Where the page before ended. */
  skipToken: z.string().max(65_536),
  pageSize: z.int().min(1),
  /** Rows that `$top` still allows. */
  remaining: z.int().min(1).optional(),
});
export type Continuation = z.output<typeof Continuation>;

export function encodeContinuation(continuation: Continuation): string {
  return deflateRawSync(Buffer.from(JSON.stringify(continuation), 'utf8')).toString('base64url');
}

export function decodeContinuation(text: string): Continuation {
  const bare = text.replace(/\/+$/, '');
  try {
    if (!/^[A-Za-z0-9_-]+$/.test(bare)) throw new Error('not base64url');
    const json = inflateRawSync(Buffer.from(bare, 'base64url'), { maxOutputLength: MAX_INFLATED_BYTES }).toString('utf8');
    return Continuation.parse(JSON.parse(json));
  } catch (error) {
    throw new PlatformError('INVALID_ARGUMENT', { problem: 'The $skiptoken is not one of a next link; start the query again.' }, { cause: error });
  }
}
