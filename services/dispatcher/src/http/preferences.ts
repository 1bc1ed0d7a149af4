/** `Prefer` (RFC 7240) as OData clients send it: several headers or one list, quoted values that hold commas, parameters after `;`. */
export interface Preferences {
  readonly returnRepresentation: boolean;
  readonly maxPageSize: number | undefined;
  /** Patterns of annotation names, `*` at the end or alone being a wildcard; a leading `-` excludes. */
  readonly annotations: readonly string[];
}

const MAX_CHARS = 4_096;
const MAX_PATTERNS = 32;

export function parsePreferences(header: string | readonly string[] | undefined): Preferences {
  const found = new Map<string, string>();
  const text = (typeof header === 'string' ? header : (header ?? []).join(',')).slice(0, MAX_CHARS);
  for (const preference of splitOutsideQuotes(text, ',')) {
    // What follows the first `;` are parameters of the preference; none of ours has any.
    const [first = ''] = splitOutsideQuotes(preference, ';');
    const equals = first.indexOf('=');
    const name = (equals === -1 ? first : first.slice(0, equals)).trim().toLowerCase();
    // RFC 7240: the first of several with one name counts, and what cannot be understood is ignored.
    if (name !== '' && !found.has(name)) found.set(name, equals === -1 ? '' : unquote(first.slice(equals + 1).trim()));
  }
  return {
    returnRepresentation: found.get('return')?.toLowerCase() === 'representation',
    maxPageSize: pageSizeOf(found.get('odata.maxpagesize') ?? found.get('maxpagesize')),
    annotations: (found.get('odata.include-annotations') ?? found.get('include-annotations') ?? '')
      .split(',')
      .map((pattern) => pattern.trim())
      .filter((pattern) => pattern !== '')
      .slice(0, MAX_PATTERNS),
  };
}

function splitOutsideQuotes(text: string, separator: ',' | ';'): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '\\' && quoted) at++;
    else if (character === '"') quoted = !quoted;
    else if (character === separator && !quoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function unquote(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}

function pageSizeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

/** Whether the caller asked for the annotation `name` (without `@`). The last pattern that matches decides. */
export function wantsAnnotation(patterns: readonly string[], name: string): boolean {
  let wanted = false;
  for (const pattern of patterns) {
    const excludes = pattern.startsWith('-');
    const wish = excludes ? pattern.slice(1) : pattern;
    if (wish.endsWith('*') ? name.startsWith(wish.slice(0, -1)) : wish === name) wanted = !excludes;
  }
  return wanted;
}
