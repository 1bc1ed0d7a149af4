import { MAX_FRAME_LINES } from '@airlock/protocol';

/**
 * What a worker sends is read in three steps, each cheaper than the next: its size, before anything is decoded; the depth
 * of its envelope, before it is parsed; its schema. A refusal is thrown, and counts against the worker.
 */
export type Verb = 'hello' | 'result' | 'call' | 'bundle' | 'fetch';

const KB = 1024;
/** The server's own limit is above all of them. A hello and a request for a bundle are the worker's own words and short. */
const FRAME_BYTES = { hello: 16 * KB, result: 1_024 * KB, call: 1_024 * KB, fetch: 1_024 * KB, bundle: 2 * KB } as const satisfies Record<
  Verb,
  number
>;
/** The deepest that a schema knows is an outcome whose error has a chain of causes: 10. */
const MAX_ENVELOPE_DEPTH = 24;

export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}

/** Lines of the frame, the first of them parsed; what it holds is still anybody's. */
export function readFrame(verb: Verb, data: Uint8Array): { readonly envelope: unknown; readonly lines: readonly string[] } {
  const limit = FRAME_BYTES[verb];
  if (data.byteLength > limit) throw new UnreadableError(`it has ${data.byteLength} bytes, the limit of ${verb} is ${limit}`);
  const lines = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    .toString('utf8')
    .split('\n', MAX_FRAME_LINES + 1);
  if (lines.length > MAX_FRAME_LINES) throw new UnreadableError(`it has more than ${MAX_FRAME_LINES} lines`);
  const [first = '', ...rest] = lines;
  if (!isWithinDepth(first, MAX_ENVELOPE_DEPTH)) throw new UnreadableError(`its envelope nests deeper than ${MAX_ENVELOPE_DEPTH}`);
  return { envelope: JSON.parse(first), lines: rest };
}

/** Scans without building anything: what is too deep must not be parsed first. Text that is no JSON fails at the parser. */
function isWithinDepth(text: string, max: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length && depth <= max; at += 1) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (character === '"') inString = !inString;
    else if (inString) continue;
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
  }
  return depth <= max;
}
