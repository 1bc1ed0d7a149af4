import type { FetchRequest } from '@airlock/protocol';

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII, space, tab and the upper half of Latin-1: no line ending, no other control character, nothing wider. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Set here or by the connection, never by a plug-in; the last three would pass a granted method off as another one. */
const REMOVED = new Set([
  'host',
  'connection',
  'keep-alive',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'http2-settings',
  'expect',
  'accept-encoding',
  'forwarded',
  'via',
  'x-real-ip',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
]);
const REMOVED_PREFIXES = ['proxy-', 'x-forwarded-', 'sec-'];

export const isRemoved = (name: string): boolean => REMOVED.has(name) || REMOVED_PREFIXES.some((prefix) => name.startsWith(prefix));

export type RequestHeaders = ReadonlyMap<string, readonly string[]>;

/** By lower-case name, without those that are not a plug-in's to set; `undefined` when one is malformed, with its place. */
export function requestHeaders(
  given: FetchRequest['headers'],
): { readonly ok: true; readonly headers: RequestHeaders } | { readonly ok: false; readonly problem: string } {
  const headers = new Map<string, string[]>();
  for (const [index, [name, value]] of given.entries()) {
    if (!NAME.test(name)) return { ok: false, problem: `the name of header ${index + 1} is not one` };
    if (!VALUE.test(value))
      return { ok: false, problem: `the value of the header "${name}" holds a line ending, a control character or one beyond Latin-1` };
    const key = name.toLowerCase();
    if (isRemoved(key)) continue;
    const values = headers.get(key);
    if (values === undefined) headers.set(key, [value]);
    else values.push(value);
  }
  return { ok: true, headers };
}

/** What is about one connection, and what no longer holds once a body is decoded. */
const NOT_PASSED_ON = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-encoding',
  'content-length',
  'alt-svc',
]);

/** Name and value pairs out of Node's flat list. */
export function responseHeaders(raw: readonly string[], most: number): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length && pairs.length < most; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    if (!NOT_PASSED_ON.has(name)) pairs.push([name, raw[at + 1] ?? '']);
  }
  return pairs;
}
