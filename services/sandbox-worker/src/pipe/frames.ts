/**
 * Framing of the one pipe between a supervisor and a sandbox process: four bytes of length, then the lines of a frame
 * (`protocol/frame.ts`). One buffer and one write a frame: two writes cost a second system call and a second wake-up.
 */
const HEADER_BYTES = 4;

/** What a sandbox process may send at once. It is owned by whoever wrote the plug-in, so the supervisor counts. */
export const MAX_FRAME_FROM_CHILD = 2 * 1024 * 1024;
/** The other direction carries bundles (4 MiB) and source maps (8 MiB), as JSON strings. */
export const MAX_FRAME_TO_CHILD = 24 * 1024 * 1024;

export function packFrame(lines: readonly string[]): Buffer {
  const text = lines.join('\n');
  const size = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + size);
  frame.writeUInt32LE(size, 0);
  frame.write(text, HEADER_BYTES, 'utf8');
  return frame;
}

export class PipeError extends Error {
  override readonly name = 'PipeError';
}

/** Returns the consumer of the pipe's chunks. It throws `PipeError` for a frame above `maxBytes`; the pipe is then useless. */
export function frameReader(maxBytes: number, onFrame: (text: string) => void): (chunk: Buffer) => void {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  const joined = (): Buffer => {
    const whole = pending.length === 1 ? (pending[0] as Buffer) : Buffer.concat(pending, pendingBytes);
    pending = [];
    pendingBytes = 0;
    return whole;
  };
  const needed = (): number => {
    const first = pending[0] as Buffer;
    if (first.length >= HEADER_BYTES) return first.readUInt32LE(0);
    return Buffer.concat(pending).readUInt32LE(0);
  };
  return (chunk) => {
    pending.push(chunk);
    pendingBytes += chunk.length;
    while (pendingBytes >= HEADER_BYTES) {
      const size = needed();
      if (size > maxBytes) throw new PipeError(`a frame of ${size} bytes is above the limit of ${maxBytes}`);
      if (pendingBytes < HEADER_BYTES + size) return;
      const whole = joined();
      const end = HEADER_BYTES + size;
      if (whole.length > end) {
        const rest = whole.subarray(end);
        pending = [rest];
        pendingBytes = rest.length;
      }
      onFrame(whole.toString('utf8', HEADER_BYTES, end));
    }
  };
}
