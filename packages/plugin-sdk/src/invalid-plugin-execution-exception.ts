import { OperationStatus } from './operation-status.ts';
import { PluginHttpStatusCode } from './plugin-http-status-code.ts';

/** Everything that a rejection can carry beside its message. */
export interface RejectionOptions {
  /** Default `Failed`. `Retry` asks for another attempt of an asynchronous step. */
  readonly status?: OperationStatus;
  /** A 32-bit number of your own that callers can compare; default −2146233088 (0x80131500), also for 0. */
  readonly errorCode?: number;
  /** Default `NotSet`: the caller gets 400. */
  readonly httpStatus?: PluginHttpStatusCode;
  /** Names and texts for the caller's program, at most 32; each text is cut at 2048 characters. */
  readonly details?: Readonly<Record<string, string>>;
  /** With `Retry`: how long to wait before the next attempt, at most a day. Default: the platform's back-off. */
  readonly retryAfterMs?: number;
  /** What led to it; its message and stack go to the trace log, never to the caller. */
  readonly cause?: unknown;
}

/** The instance side of {@link InvalidPluginExecutionException}. */
export interface InvalidPluginExecutionException extends Error {
  readonly status: OperationStatus;
  readonly errorCode: number;
  readonly httpStatus: PluginHttpStatusCode;
  readonly details: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;
}

export interface InvalidPluginExecutionExceptionConstructor {
  new (message?: string, options?: RejectionOptions): InvalidPluginExecutionException;
  readonly prototype: InvalidPluginExecutionException;
}

const DEFAULT_ERROR_CODE = -2146233088;

/** Stands in where there is no sandbox, so that an author's own unit tests run in plain Node. */
class LocalInvalidPluginExecutionException extends Error implements InvalidPluginExecutionException {
  override readonly name = 'InvalidPluginExecutionException';
  readonly status: OperationStatus;
  readonly errorCode: number;
  readonly httpStatus: PluginHttpStatusCode;
  readonly details: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;

  constructor(message = '', options: RejectionOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.status = options.status ?? OperationStatus.Failed;
    this.errorCode = options.errorCode || DEFAULT_ERROR_CODE;
    this.httpStatus = options.httpStatus ?? PluginHttpStatusCode.NotSet;
    this.details = Object.freeze({ ...options.details });
    this.retryAfterMs = options.retryAfterMs;
  }
}

const sandbox = globalThis as { readonly InvalidPluginExecutionException?: InvalidPluginExecutionExceptionConstructor };

/**
 * Throw it to refuse the operation: a synchronous one rolls back and the caller reads your message as plain text (at most 8192
 * characters; without a message a general text). Anything else that leaves `execute` counts as an unexpected error, whose text the
 * caller never sees.
 *
 * In the sandbox this is the platform's own class, which knows its instances by a private brand: an object that merely looks like one
 * is an unexpected error.
 *
 * @param message What the user reads.
 * @param options See {@link RejectionOptions}.
 *
 * @example
 * throw new InvalidPluginExecutionException('The credit limit may be at most 40 % of the revenue.', {
 *   status: OperationStatus.Canceled,
 *   errorCode: 4711,
 *   httpStatus: PluginHttpStatusCode.BadRequest,
 *   details: { column: 'creditlimit' },
 * });
 */
export const InvalidPluginExecutionException: InvalidPluginExecutionExceptionConstructor =
  sandbox.InvalidPluginExecutionException ?? LocalInvalidPluginExecutionException;
