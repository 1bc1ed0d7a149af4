import { OperationStatus } from './operation-status.ts';
import { PluginHttpStatusCode } from './plugin-http-status-code.ts';

/** Everything that a rejection can carry beside its message. */
export interface RejectionOptions {
  /** Default `Failed`. `Retry` asks for another attempt of an asynchronous step. */
  readonly status?: OperationStatus;
  /** A 32-bit number of your own that callers can compare; default −2146233088 (0x80131500), also for 0. */
  readonly errorCode?: number;
  /** Default: that of a `cause` that is a rejection itself, else `NotSet`, and the caller gets 400. */
  readonly httpStatus?: PluginHttpStatusCode;
  /** Names and texts for the caller's program, at most 32; each text is cut at 2048 characters. */
  readonly exceptionDetails?: Readonly<Record<string, string>>;
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
  readonly exceptionDetails: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;
}

export interface InvalidPluginExecutionExceptionConstructor {
  new (message?: string, options?: RejectionOptions): InvalidPluginExecutionException;
  new (options: RejectionOptions & { readonly message?: string }): InvalidPluginExecutionException;
  readonly prototype: InvalidPluginExecutionException;
}

const NAME = 'InvalidPluginExecutionException';
const DEFAULT_ERROR_CODE = -2_146_233_088;
const MAX_DETAILS = 32;

/** Stands in where there is no sandbox, so that an author's own unit tests run in plain Node; refuses what the sandbox's own refuses. */
class LocalInvalidPluginExecutionException extends Error implements InvalidPluginExecutionException {
  override readonly name: string = NAME;
  readonly status: OperationStatus;
  readonly errorCode: number;
  readonly httpStatus: PluginHttpStatusCode;
  readonly exceptionDetails: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;

  constructor(message?: string | (RejectionOptions & { readonly message?: string }), options?: RejectionOptions) {
    const given = (typeof message === 'object' ? message : options) ?? {};
    super(typeof message === 'object' ? message.message : message, given.cause === undefined ? undefined : { cause: given.cause });
    const inner = given.cause instanceof LocalInvalidPluginExecutionException ? given.cause.httpStatus : PluginHttpStatusCode.NotSet;
    this.status = given.status ?? OperationStatus.Failed;
    this.errorCode = given.errorCode || DEFAULT_ERROR_CODE;
    this.httpStatus = given.httpStatus ?? inner;
    this.exceptionDetails = Object.freeze({ ...given.exceptionDetails });
    this.retryAfterMs = given.retryAfterMs;
    requireWhole('status', this.status, 0, 4);
    requireWhole('errorCode', this.errorCode, -(2 ** 31), 2 ** 31 - 1);
    if (this.httpStatus !== PluginHttpStatusCode.NotSet) requireWhole('httpStatus', this.httpStatus, 400, 599);
    if (this.retryAfterMs !== undefined) requireWhole('retryAfterMs', this.retryAfterMs, 0, 86_400_000);
    requireTexts(this.exceptionDetails);
  }
}

function requireWhole(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new TypeError(`${NAME}: ${what} must be a whole number from ${least} to ${most}`);
}

function requireTexts(details: Readonly<Record<string, unknown>>): void {
  const texts = Object.values(details);
  if (texts.some((text) => typeof text !== 'string')) throw new TypeError(`${NAME}: exceptionDetails must be an object of texts`);
  if (texts.length > MAX_DETAILS) throw new RangeError(`${NAME}: exceptionDetails holds ${texts.length} pairs, ${MAX_DETAILS} are allowed`);
}

const sandbox = globalThis as { readonly InvalidPluginExecutionException?: InvalidPluginExecutionExceptionConstructor };

/**
 * Throw it to refuse the operation: a synchronous one rolls back and the caller reads your message as plain text (at most 8192
 * characters; without a message a general text). Anything else that leaves `execute` counts as an unexpected error, whose text the
 * caller never sees.
 *
 * In the sandbox this is the platform's own class, which knows its instances by a private field: an object that merely looks like one
 * is an unexpected error.
 *
 * @throws {TypeError} when an option is of the wrong type or out of its range.
 * @throws {RangeError} when there are more than 32 `exceptionDetails`.
 *
 * @example
 * throw new InvalidPluginExecutionException('The credit limit may be at most 40 % of the revenue.', {
 *   status: OperationStatus.Canceled,
 *   errorCode: 4711,
 *   httpStatus: PluginHttpStatusCode.BadRequest,
 *   exceptionDetails: { column: 'creditlimit' },
 * });
 */
export const InvalidPluginExecutionException: InvalidPluginExecutionExceptionConstructor =
  sandbox.InvalidPluginExecutionException ?? LocalInvalidPluginExecutionException;
