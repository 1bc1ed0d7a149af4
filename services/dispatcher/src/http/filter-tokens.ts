import { PlatformError } from '@airlock/protocol';
import { isExact } from './read-json.ts';

/** A token of an OData expression. `at` is its position, for error messages. */
export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly at: number }
  | { readonly kind: 'value'; readonly value: string | number; readonly at: number }
  | { readonly kind: 'mark'; readonly text: string; readonly at: number }
  | { readonly kind: 'end'; readonly at: number };

/** Longest form first: a GUID and a date begin like numbers, and a GUID may begin like a word. No alternative can match in two ways. */
const TOKEN =
  /(?<space>\s+)|(?<guid>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})(?![\w-])|(?<date>\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?)(?![\w-])|(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?)(?![\w.])|(?<word>[A-Za-z_@][\w.]*)|(?<text>'(?:[^']|'')*')(?!')|(?<mark>[(),[\]/=])/y;

const MAX_TOKENS = 10_000;

export function tokensOf(expression: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(expression)?.groups;
    if (groups === undefined || tokens.length >= MAX_TOKENS) throw syntaxError(at, 'a name, a value, an operator or a bracket was expected');
    const token = tokenOf(groups, at);
    if (token !== undefined) tokens.push(token);
  }
  tokens.push({ kind: 'end', at: expression.length });
  return tokens;
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>, at: number): Token | undefined {
  const { guid, date, number, word, text, mark } = groups;
  if (guid !== undefined) return { kind: 'value', value: guid.toLowerCase(), at };
  if (date !== undefined) return { kind: 'value', value: date, at };
  if (number !== undefined) return { kind: 'value', value: exactNumber(number, at), at };
  if (word !== undefined) return { kind: 'word', text: word, at };
  if (text !== undefined) return { kind: 'value', value: text.slice(1, -1).replaceAll("''", "'"), at };
  if (mark !== undefined) return { kind: 'mark', text: mark, at };
  return undefined;
}

function exactNumber(source: string, at: number): number {
  const value = Number(source);
  if (!isExact(source, value)) throw syntaxError(at, `the number ${source.slice(0, 40)} has more digits than the platform keeps`);
  return value;
}

export function syntaxError(at: number, problem: string): PlatformError {
  return new PlatformError('INVALID_ARGUMENT', { problem: `The filter has a syntax error at character ${at + 1}: ${problem}.` });
}
