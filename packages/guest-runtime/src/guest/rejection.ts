import {
  createObject,
  defineFixed,
  defineProperty,
  freeze,
  isArray,
  isInteger,
  keys,
  SafeError,
  SafeRangeError,
  SafeString,
  SafeTypeError,
  slice,
} from './primordials.ts';

/**
 * `InvalidPluginExecutionException`: the one way in which a plug-in speaks to the user (dataverse-facts §3.1). What makes one genuine is a private field,
 * which no name, prototype, `Symbol.hasInstance` or lookalike can imitate; its data is copied and fixed when it is made.
 */
const MAX_MESSAGE_CHARS = 8_192;
const MAX_DETAILS = 32;
const MAX_DETAIL_NAME_CHARS = 128;
const MAX_DETAIL_CHARS = 2_048;
const MAX_RETRY_AFTER_MS = 86_400_000;
/** 0x80131500, what .NET says when the author gave no code, or 0. */
const DEFAULT_ERROR_CODE = -2_146_233_088;
const NAME = 'InvalidPluginExecutionException';

export const OperationStatus = { Failed: 0, Canceled: 1, Retry: 2, Suspended: 3, Succeeded: 4 } as const;

export const PluginHttpStatusCode = {
  NotSet: 0,
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  RequestTimeout: 408,
  Conflict: 409,
  Gone: 410,
  PreconditionFailed: 412,
  RequestEntityTooLarge: 413,
  ExpectationFailed: 417,
  FailedDependency: 424,
  TooManyRequests: 429,
  InternalServerError: 500,
  BadGateway: 502,
  ServiceUnavailable: 503,
  GatewayTimeout: 504,
} as const;

export interface RejectionOptions {
  readonly message?: unknown;
  readonly status?: unknown;
  readonly errorCode?: unknown;
  readonly httpStatus?: unknown;
  readonly exceptionDetails?: unknown;
  readonly retryAfterMs?: unknown;
  readonly cause?: unknown;
}

export interface RejectionData {
  readonly status: number;
  readonly errorCode: number;
  readonly httpStatus: number;
  readonly message: string;
  readonly details: Readonly<Record<string, string>>;
  readonly retryAfterMs?: number;
}

/** The data of a genuine rejection, or undefined; touches nothing of `value` that a guest could trap. */
export let rejectionOf: (value: unknown) => RejectionData | undefined;

function readWhole(value: unknown, what: string, least: number, most: number): number {
  if (typeof value !== 'number' || !isInteger(value) || value < least || value > most) {
    throw new SafeTypeError(`${NAME}: ${what} must be a whole number from ${least} to ${most}`);
  }
  return value;
}

function readDetails(value: unknown): Readonly<Record<string, string>> {
  const details = createObject(null) as Record<string, string>;
  if (value === undefined || value === null) return freeze(details);
  if (typeof value !== 'object' || isArray(value)) throw new SafeTypeError(`${NAME}: exceptionDetails must be an object of texts`);
  const names = keys(value);
  if (names.length > MAX_DETAILS) {
    throw new SafeRangeError(`${NAME}: exceptionDetails holds ${names.length} pairs, ${MAX_DETAILS} are allowed`);
  }
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] as string;
    const text = (value as Record<string, unknown>)[name];
    if (name.length > MAX_DETAIL_NAME_CHARS) throw new SafeRangeError(`${NAME}: a name in exceptionDetails is longer than ${MAX_DETAIL_NAME_CHARS}`);
    if (typeof text !== 'string') throw new SafeTypeError(`${NAME}: exceptionDetails must be an object of texts`);
    details[name] = slice(text, 0, MAX_DETAIL_CHARS);
  }
  return freeze(details);
}

function readHttpStatus(value: unknown, cause: unknown): number {
  // As .NET's constructor with an inner exception does: the inner rejection's status is taken over.
  if (value === undefined || value === null) return rejectionOf(cause)?.httpStatus ?? 0;
  if (value === 0) return 0;
  return readWhole(value, 'httpStatus', 400, 599);
}

function readMessage(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value : SafeString(value);
  return slice(text, 0, MAX_MESSAGE_CHARS);
}

function readData(message: unknown, options: RejectionOptions, cause: unknown): RejectionData {
  const { status, errorCode, httpStatus, exceptionDetails, retryAfterMs } = options;
  const data = createObject(null) as { -readonly [Name in keyof RejectionData]: RejectionData[Name] };
  data.status = status === undefined || status === null ? OperationStatus.Failed : readWhole(status, 'status', 0, 4);
  const code = errorCode === undefined || errorCode === null ? 0 : readWhole(errorCode, 'errorCode', -(2 ** 31), 2 ** 31 - 1);
  data.errorCode = code === 0 ? DEFAULT_ERROR_CODE : code;
  data.httpStatus = readHttpStatus(httpStatus, cause);
  data.message = readMessage(message);
  data.details = readDetails(exceptionDetails);
  if (retryAfterMs !== undefined && retryAfterMs !== null) data.retryAfterMs = readWhole(retryAfterMs, 'retryAfterMs', 0, MAX_RETRY_AFTER_MS);
  return freeze(data);
}

const noOptions: RejectionOptions = freeze(createObject(null) as RejectionOptions);

export class InvalidPluginExecutionException extends SafeError {
  readonly #data: RejectionData;

  static {
    rejectionOf = (value) =>
      typeof value === 'object' && value !== null && #data in value ? (value as InvalidPluginExecutionException).#data : undefined;
  }

  constructor(message?: unknown, options?: RejectionOptions) {
    const alone = typeof message === 'object' && message !== null && options === undefined;
    const given: RejectionOptions = alone ? (message as RejectionOptions) : (options ?? noOptions);
    if (typeof given !== 'object') throw new SafeTypeError(`${NAME}: options must be an object`);
    const cause = given.cause;
    const data = readData(alone ? given.message : message, given, cause);
    super(data.message, cause === undefined ? undefined : { cause });
    this.#data = data;
    defineFixed(this, 'message', data.message);
  }

  get status(): number {
    return this.#data.status;
  }

  get errorCode(): number {
    return this.#data.errorCode;
  }

  get httpStatus(): number {
    return this.#data.httpStatus;
  }

  get exceptionDetails(): Readonly<Record<string, string>> {
    return this.#data.details;
  }

  get retryAfterMs(): number | undefined {
    return this.#data.retryAfterMs;
  }
}

export function installRejection(): void {
  // An accessor, because a subclass sets `this.name`, and a frozen data property of the prototype would refuse it.
  defineProperty(InvalidPluginExecutionException.prototype, 'name', {
    get: () => NAME,
    set(this: object, value: unknown) {
      defineProperty(this, 'name', { value, writable: true, configurable: true, enumerable: false });
    },
    enumerable: false,
    configurable: false,
  });
  // Frozen, so that `extends` cannot be redirected and nothing is grafted onto what every rejection inherits.
  freeze(InvalidPluginExecutionException.prototype);
  freeze(InvalidPluginExecutionException);
  defineFixed(globalThis, NAME, InvalidPluginExecutionException);
  defineFixed(globalThis, 'OperationStatus', freeze(OperationStatus));
  defineFixed(globalThis, 'PluginHttpStatusCode', freeze(PluginHttpStatusCode));
}
