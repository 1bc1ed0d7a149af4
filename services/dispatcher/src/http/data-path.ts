import { PlatformError } from '@airlock/protocol';

/** How a row is named in a path: by its primary key or by the columns of an alternate key. */
export type RowKey =
  | { readonly by: 'id'; readonly id: string }
  | { readonly by: 'columns'; readonly columns: readonly (readonly [name: string, value: string | number | boolean])[] };

/** One segment of a Web API path: `accounts`, `accounts(…)`, `WhoAmI()`. */
export interface PathSegment {
  readonly name: string;
  /** `undefined` without parentheses, empty with `()`. */
  readonly key: RowKey | undefined;
  readonly hasParentheses: boolean;
}

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const SEGMENT = /^(\$?[A-Za-z_][A-Za-z0-9_.]{0,255})(?:\((.*)\))?$/s;
const KEY_PART = /\s*([A-Za-z_][A-Za-z0-9_]{0,127})\s*=\s*(?:'((?:[^']|'')*)'|([^',()\s]+))\s*(?:,|$)/y;
const MAX_SEGMENTS = 8;
const MAX_KEY_COLUMNS = 16;

export function isGuid(text: string): boolean {
  return GUID.test(text);
}

/** `path` is what follows the service root, still encoded. Doubled and trailing slashes are tolerated. */
export function parseDataPath(path: string): readonly PathSegment[] {
  const segments = splitOutsideQuotes(decodePath(path)).filter((segment) => segment !== '');
  if (segments.length > MAX_SEGMENTS) throw new PlatformError('INVALID_ARGUMENT', { problem: `The path has more than ${MAX_SEGMENTS} segments.` });
  return segments.map(parseSegment);
}

function parseSegment(segment: string): PathSegment {
  const match = SEGMENT.exec(segment);
  if (match === null) throw new PlatformError('SEGMENT_NOT_FOUND', { segment: segment.slice(0, 256) });
  const [, name = '', inside] = match;
  return { name, key: inside === undefined || inside.trim() === '' ? undefined : parseKey(name, inside), hasParentheses: inside !== undefined };
}

function parseKey(name: string, inside: string): RowKey {
  const bare = inside.trim();
  const unquoted = bare.startsWith("'") && bare.endsWith("'") ? bare.slice(1, -1) : bare;
  if (isGuid(unquoted)) return { by: 'id', id: unquoted.toLowerCase() };
  const columns: [string, string | number | boolean][] = [];
  KEY_PART.lastIndex = 0;
  while (KEY_PART.lastIndex < bare.length) {
    const match = KEY_PART.exec(bare);
    if (match === null || columns.length >= MAX_KEY_COLUMNS) throw malformedKey(name);
    const [, column = '', text, literal = ''] = match;
    columns.push([column, text === undefined ? literalOf(name, literal) : text.replaceAll("''", "'")]);
  }
  if (columns.length === 0) throw malformedKey(name);
  return { by: 'columns', columns };
}

function literalOf(segment: string, text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^-?\d{1,15}(\.\d{1,15})?$/.test(text)) return Number(text);
  if (isGuid(text)) return text.toLowerCase();
  if (/^\d{4}-\d{2}-\d{2}(T[\d:.]{5,16}(Z|[+-]\d{2}:\d{2}))?$/.test(text)) return text;
  throw malformedKey(segment);
}

function malformedKey(segment: string): PlatformError {
  return new PlatformError('INVALID_ARGUMENT', {
    problem: `The key of '${segment.slice(0, 128)}' is not valid: write (<guid>) or (<column>='<value>').`,
  });
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    throw new PlatformError(
      'INVALID_ARGUMENT',
      { problem: 'The path has a percent sign that is not followed by a valid encoding.' },
      { cause: error },
    );
  }
}

/** A slash between quotes belongs to a key's value. */
function splitOutsideQuotes(path: string): readonly string[] {
  const segments: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < path.length; at++) {
    const character = path[at];
    if (character === "'") quoted = !quoted;
    else if (character === '/' && !quoted) {
      segments.push(path.slice(start, at));
      start = at + 1;
    }
  }
  segments.push(path.slice(start));
  return segments;
}
