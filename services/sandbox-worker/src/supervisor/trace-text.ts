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
  const head: string[] = [];
  let tail: string[] = [];
  let headBytes = 0;
  let tailBytes = 0;
  let received = 0;
  let lost = 0;
  const shrinkTail = (): void => {
    const joined = tail.join('\n');
    const kept = cutBytes(joined, half, 'end');
    lost += Buffer.byteLength(joined) - Buffer.byteLength(kept);
    tail = [kept];
    tailBytes = Buffer.byteLength(kept);
  };
  return {
    add: (text) => {
      // A line feed within one trace is indented, so that its author cannot write what looks like the next record.
      const line = cleanText(text, text.length).replaceAll('\n', '\n  ');
      const bytes = Buffer.byteLength(line) + 1;
      received += bytes;
      if (tailBytes === 0 && headBytes + bytes <= half) {
        head.push(line);
        headBytes += bytes;
        return;
      }
      tail.push(line);
      tailBytes += bytes;
      // Twice the room before it is cut: joining for every line would be quadratic.
      if (tailBytes > 2 * half + maxBytes) shrinkTail();
    },
    finish: () => {
      const whole = [...head, ...tail].join('\n');
      if (lost === 0 && Buffer.byteLength(whole) <= maxBytes) return { trace: whole, traceTruncated: false };
      const first =
        tail.length === 0
          ? []
          : [cutBytes(tail.join('\n'), Math.max(0, half - headBytes), 'start')].filter((text) => headBytes === 0 && lost === 0 && text !== '');
      shrinkTail();
      return { trace: [...head, ...first, mark(lost), ...tail].join('\n'), traceTruncated: true };
    },
    receivedBytes: () => received,
  };
}
