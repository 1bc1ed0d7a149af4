import { cleanText } from '@airlock/protocol';

/** Collects the trace of one execution as it streams in: head and tail are kept, the middle goes. */
export interface TraceText {
  readonly add: (text: string) => void;
  readonly finish: () => { readonly trace: string; readonly traceTruncated: boolean };
  /** Bytes that arrived, kept or not. */
  readonly receivedBytes: () => number;
}

const mark = (lostBytes: number) => `… ${lostBytes} bytes of trace left out …`;
/** Room for the mark within the limit. */
const MARK_BYTES = 64;

function cutBytes(text: string, max: number, keep: 'start' | 'end'): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= max) return text;
  const cut = keep === 'start' ? bytes.subarray(0, max) : bytes.subarray(bytes.length - max);
  // A cut within a character leaves U+FFFD, three bytes, for up to three bytes: it must not grow above the limit.
  return cut.toString('utf8').replace(keep === 'start' ? /\ufffd+$/ : /^\ufffd+/, '');
}

export function collectTrace(maxBytes: number): TraceText {
  const half = Math.max(0, Math.floor((maxBytes - MARK_BYTES) / 2));
  let head = '';
  let headRoom = half;
  let tail: string[] = [];
  let tailBytes = 0;
  let received = 0;
  let lost = 0;
  const shrinkTail = (): void => {
    const kept = cutBytes(tail.join(''), half, 'end');
    const keptBytes = Buffer.byteLength(kept);
    lost += tailBytes - keptBytes;
    tail = [kept];
    tailBytes = keptBytes;
  };
  return {
    add: (text) => {
      // A line feed within one trace is indented, so that its author cannot write what looks like the next record.
      const line = cleanText(text, text.length).replaceAll('\n', '\n  ');
      const piece = received === 0 ? line : `\n${line}`;
      const bytes = Buffer.byteLength(piece);
      received += Math.max(1, bytes);
      const first = cutBytes(piece, headRoom, 'start');
      head += first;
      // What did not fit begins the tail; nothing after it may go into the head.
      headRoom = first.length < piece.length ? 0 : headRoom - bytes;
      if (first.length === piece.length) return;
      const rest = piece.slice(first.length);
      tail.push(rest);
      tailBytes += Buffer.byteLength(rest);
      // Some room before it is cut: joining for every line would be quadratic.
      if (tailBytes > 2 * half + maxBytes) shrinkTail();
    },
    finish: () => {
      const whole = head + tail.join('');
      if (lost === 0 && Buffer.byteLength(whole) <= maxBytes) return { trace: whole, traceTruncated: false };
      shrinkTail();
      return { trace: `${head}\n${mark(lost)}\n${tail.join('')}`, traceTruncated: true };
    },
    receivedBytes: () => received,
  };
}
