/**
 * The one cleaning of text that somebody else wrote, applied before any store or log: Postgres text refuses NUL,
 * jsonb refuses lone surrogates, and control, escape and bidi characters let an author forge log lines.
 */
const HAZARD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Keeps tab and line feed; carriage returns before a line feed go, every other hazard becomes U+FFFD; at most `max` UTF-16 units. */
export function cleanText(text: string, max: number): string {
  const cut = text.length > max ? text.slice(0, max) : text;
  return cut
    .replaceAll('\r\n', '\n')
    .replace(HAZARD, '\ufffd')
    .replace(/[\u2028\u2029]/g, '\n')
    .toWellFormed();
}
