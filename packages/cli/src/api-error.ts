/** The server refused, or could not be asked. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The server's code, `0x` and eight hexadecimal digits; `''` when no server answered or it gave none. */
  readonly code: string;
  /** HTTP status; 0 when no server answered. */
  readonly status: number;
  /** Names the trace that shows the cause; `''` when unknown. */
  readonly traceId: string;

  constructor(
    message: string,
    about: { readonly code?: string; readonly status?: number; readonly traceId?: string; readonly cause?: unknown } = {},
  ) {
    super(message, 'cause' in about ? { cause: about.cause } : undefined);
    this.code = about.code ?? '';
    this.status = about.status ?? 0;
    this.traceId = about.traceId ?? '';
  }
}
