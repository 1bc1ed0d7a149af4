import { TRACE_STREAM_FACTOR, TRACE_STREAM_LINES } from '../boundary.ts';
import { floor, longerThan, mapDelete, mapForEach, mapGet, mapSet, SafeMap, slice, utf8Length } from './primordials.ts';

/** Room that a line takes beside its text where it is kept. */
const LINE_BYTES = 16;

/** Sends the lines of one execution, and keeps the newest when there are too many (policy: `boundary.ts`). */
export interface Trace {
  readonly lineBytes: number;
  readonly post: (text: string) => void;
  streamedBytes: number;
  streamedLines: number;
  /** Newest lines once streaming is used up, by running number. */
  readonly tail: Map<number, string>;
  tailBytes: number;
  oldest: number;
  newest: number;
}

export function createTrace(lineBytes: number, post: (text: string) => void): Trace {
  return { lineBytes, post, streamedBytes: 0, streamedLines: 0, tail: new SafeMap(), tailBytes: 0, oldest: 0, newest: 0 };
}

export function writeTrace(trace: Trace, text: string): void {
  const line = cutToBytes(text, trace.lineBytes);
  // Three bytes a unit at most: exact counting is not worth its time here.
  const bytes = line.length * 3 + LINE_BYTES > trace.lineBytes ? utf8Length(line) + LINE_BYTES : line.length + LINE_BYTES;
  if (trace.newest === 0 && trace.streamedLines < TRACE_STREAM_LINES && trace.streamedBytes + bytes <= TRACE_STREAM_FACTOR * trace.lineBytes) {
    trace.streamedLines += 1;
    trace.streamedBytes += bytes;
    trace.post(line);
    return;
  }
  keep(trace, cutToBytes(line, floor(trace.lineBytes / 2)));
}

function keep(trace: Trace, line: string): void {
  mapSet(trace.tail, trace.newest, line);
  trace.newest += 1;
  trace.tailBytes += utf8Length(line) + LINE_BYTES;
  while (trace.tailBytes > trace.lineBytes / 2 && trace.oldest < trace.newest - 1) {
    const dropped = mapGet(trace.tail, trace.oldest) as string;
    mapDelete(trace.tail, trace.oldest);
    trace.tailBytes -= utf8Length(dropped) + LINE_BYTES;
    trace.oldest += 1;
  }
}

/** Posts what was kept; the last thing before the end of an execution. */
export function flushTrace(trace: Trace): void {
  if (trace.newest === 0) return;
  if (trace.oldest > 0) trace.post(`[${trace.oldest} trace lines left out]`);
  mapForEach(trace.tail, (line) => trace.post(line));
}

const CUT_MARK = '… [cut]';

function cutToBytes(text: string, limit: number): string {
  if (!longerThan(text, limit)) return text;
  let cut = slice(text, 0, limit);
  while (longerThan(cut, limit - CUT_MARK.length - 2) && cut.length > 0) cut = slice(cut, 0, floor(cut.length * 0.8));
  return cut + CUT_MARK;
}
