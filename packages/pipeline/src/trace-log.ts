import type { Failure, GuestError } from './failure.ts';

/** `Organization.plugintracelogsetting`. */
export const TraceLogSetting = { Off: 0, Exception: 1, All: 2 } as const;
export type TraceLogSetting = (typeof TraceLogSetting)[keyof typeof TraceLogSetting];

/** One row for each execution: never, only when it failed, or always (statement 61). */
export function writesTraceLog(setting: TraceLogSetting, failure: Failure | undefined): boolean {
  switch (setting) {
    case TraceLogSetting.Off:
      return false;
    case TraceLogSetting.Exception:
      return failure !== undefined;
    case TraceLogSetting.All:
      return true;
    default:
      return setting satisfies never;
  }
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** UTF-8 bytes of the code unit at `at`; a pair counts 4 at its first half and 0 at its second. Lone halves become U+FFFD: 3. */
function bytesAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  if (unit >= 0xd800 && unit <= 0xdbff) return isLowSurrogate(text.charCodeAt(at + 1)) ? 4 : 3;
  if (isLowSurrogate(unit)) return endsPair(text, at) ? 0 : 3;
  return 3;
}

function endsPair(text: string, at: number): boolean {
  const before = at > 0 ? text.charCodeAt(at - 1) : 0;
  return before >= 0xd800 && before <= 0xdbff && isLowSurrogate(text.charCodeAt(at));
}

/** Length in UTF-8. The package knows no `TextEncoder`. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) bytes += bytesAt(text, at);
  return bytes;
}

/** The longest head of at most `budget` bytes that does not end inside a pair. */
function headWithin(text: string, budget: number): string {
  let bytes = 0;
  let end = 0;
  while (end < text.length) {
    bytes += bytesAt(text, end);
    if (bytes > budget) break;
    end += endsPair(text, end + 1) ? 2 : 1;
  }
  return text.slice(0, end);
}

/** The longest tail of at most `budget` bytes that does not begin inside a pair. */
function tailWithin(text: string, budget: number): string {
  let bytes = 0;
  let start = text.length;
  while (start > 0) {
    const begin = endsPair(text, start - 1) ? start - 2 : start - 1;
    bytes += bytesAt(text, begin);
    if (bytes > budget) break;
    start = begin;
  }
  return text.slice(start);
}

const cutMark = (bytes: number) => `\n[… ${bytes} bytes cut …]\n`;

/**
 * At most `limitBytes` of UTF-8: the head says how it began, the tail how it ended, and a mark between them how much is missing.
 * (The platform this follows drops the oldest lines; what went wrong first is often there.) A limit too small for the mark
 * keeps the tail alone.
 */
export function truncateMiddle(text: string, limitBytes: number): { readonly text: string; readonly cutBytes: number } {
  const bytes = utf8Bytes(text);
  if (bytes <= limitBytes) return { text, cutBytes: 0 };
  // The mark never grows: what is cut is at most `bytes`.
  const room = limitBytes - utf8Bytes(cutMark(bytes));
  const head = room > 0 ? headWithin(text, Math.floor(room / 2)) : '';
  const tail = tailWithin(text, room > 0 ? room - utf8Bytes(head) : limitBytes);
  const cutBytes = bytes - utf8Bytes(head) - utf8Bytes(tail);
  return { text: room > 0 ? head + cutMark(cutBytes) + tail : tail, cutBytes };
}

export interface TracedStep {
  /** Name of the bundle; the platform's word is assembly. */
  readonly assembly: string;
  readonly typeName: string;
  readonly stepId: string;
  readonly stepName: string;
}

const CRLF = '\r\n';

/** A name inside brackets must not be able to start a line of its own. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** Trace lines (joined by line feeds) in the shape in which callers and failed jobs get them (dataverse-facts §5). */
export function traceTextOf({ assembly, typeName, stepId, stepName }: TracedStep, trace: string): string {
  const lines = trace === '' ? [] : trace.replace(/\r?\n$/, '').split(/\r?\n/);
  const header = `${CRLF}[${oneLine(assembly)}: ${oneLine(typeName)} ]${CRLF}[${stepId}: ${oneLine(stepName)}]${CRLF}${CRLF}`;
  return header + lines.map((line) => `\t${line}${CRLF}`).join('') + CRLF;
}

const MAX_CAUSES = 8;

/** `exceptiondetails`: what the author needs, stack included; never shown to a caller. `undefined` when nothing failed. */
export function exceptionDetailsOf(failure: Failure | undefined): string | undefined {
  if (failure === undefined) return undefined;
  if (failure.origin === 'plug-in') return describeError(failure.error);
  const { origin, kind, ...facts } = failure;
  const known = Object.entries(facts).map(([name, value]) => `${name}: ${value}`);
  return [`${origin}: ${kind}`, ...known].join('\n');
}

function describeError(error: GuestError): string {
  const parts: string[] = [];
  let current: GuestError | undefined = error;
  while (current !== undefined && parts.length < MAX_CAUSES) {
    const { name, message, stack } = current;
    const head = message === '' ? name : `${name}: ${message}`;
    // Engines begin a stack with the name and message; a mapped stack may hold the frames alone.
    parts.push(stack === '' || stack.startsWith(head) ? stack || head : `${head}\n${stack}`);
    current = current.cause;
  }
  return parts.join('\nCaused by: ');
}
