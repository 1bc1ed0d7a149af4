import { PlatformError } from '@airlock/protocol';

/** A JSON number that a double would change. Kept apart until the column's type says whether that matters. */
export class InexactNumber {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

/** The value of a JSON body; numbers that lose digits are {@link InexactNumber}. */
export type Json = string | number | boolean | null | InexactNumber | readonly Json[] | { readonly [key: string]: Json };

/**
 * Reads a JSON body. `undefined` for an absent one: clients send `Content-Type: application/json` with empty requests too.
 * A body that is a JSON string holding JSON is read once more, because some clients encode twice.
 */
export function readJson(body: Buffer | undefined, depthLimit: number): Json | undefined {
  if (body === undefined || body.length === 0) return undefined;
  const outer = parse(decodeUtf8(body), depthLimit);
  return typeof outer === 'string' ? parse(outer, depthLimit) : outer;
}

export function isJsonObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof InexactNumber);
}

function decodeUtf8(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw new PlatformError('PAYLOAD_INVALID', { problem: 'the body is not UTF-8.' }, { cause: error });
  }
}

function parse(text: string, depthLimit: number): Json {
  // Counted before parsing: JSON.parse with a reviver recurses, and a body of brackets alone would exhaust the stack.
  if (nestingOf(text, depthLimit) > depthLimit) throw new PlatformError('PAYLOAD_TOO_DEEP', { limit: depthLimit });
  try {
    // The reviver returns Json for every node, so the whole is Json.
    return JSON.parse(text, (_key, value: Json, context?: { source?: string }) =>
      typeof value === 'number' && context?.source !== undefined && !isExact(context.source, value) ? new InexactNumber(context.source) : value,
    ) as Json;
  } catch (error) {
    throw new PlatformError('PAYLOAD_INVALID', { problem: `the body is not JSON: ${positionOf(error)}.` }, { cause: error });
  }
}

/** The engine's message may quote the body; only the position is passed on. */
function positionOf(error: unknown): string {
  const position = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  return position === undefined ? 'it ends too early or is malformed' : `it is malformed at character ${position}`;
}

/** Deepest nesting of brackets outside strings; stops counting once it is over `stopAfter`. */
function nestingOf(text: string, stopAfter: number): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length && deepest <= stopAfter; at++) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) at = endOfString(text, at);
    else if (character === OPEN_BRACE || character === OPEN_BRACKET) deepest = Math.max(deepest, ++depth);
    else if (character === CLOSE_BRACE || character === CLOSE_BRACKET) depth--;
  }
  return deepest;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

function endOfString(text: string, openingQuote: number): number {
  let at = openingQuote + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

/** Whether the double prints the digits that the source has: then nothing was rounded. */
export function isExact(source: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  return canonicalDigits(source) === canonicalDigits(String(value));
}

/** Sign, significant digits and exponent of a decimal text, e.g. `-120` and `-1.2e2` alike. */
function canonicalDigits(text: string): string {
  const match = /^(-?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
