/**
 * The one framing of the bus and of the pipe between a supervisor and its sandbox processes: JSON texts, one a line.
 * JSON never contains a raw line feed, so the first line (the envelope, ours) can be parsed and checked while the
 * others (the guest's) are passed on as they are. Measured: re-encoding a 2 KB body costs more than the hop itself.
 */
export const MAX_FRAME_LINES = 64;

/** `lines` are JSON texts without raw line feeds; the first is the envelope. */
export function encodeFrame(lines: readonly string[]): string {
  return lines.join('\n');
}

export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** Throws `FrameError` when `text` has more than `MAX_FRAME_LINES` lines. */
export function splitFrame(text: string): readonly string[] {
  const lines = text.split('\n', MAX_FRAME_LINES + 1);
  if (lines.length > MAX_FRAME_LINES) throw new FrameError(`a frame has at most ${MAX_FRAME_LINES} lines`);
  return lines;
}
