import { define } from './primordials.ts';

/** Names with the legacy codes of the standard. */
const CODES: Readonly<Record<string, number>> = {
  IndexSizeError: 1,
  HierarchyRequestError: 3,
  InvalidCharacterError: 5,
  NotFoundError: 8,
  NotSupportedError: 9,
  InvalidStateError: 11,
  SyntaxError: 12,
  InvalidAccessError: 15,
  TypeMismatchError: 17,
  SecurityError: 18,
  NetworkError: 19,
  AbortError: 20,
  QuotaExceededError: 22,
  TimeoutError: 23,
  DataCloneError: 25,
};

export class DOMException extends Error {
  readonly #name: string;

  constructor(message: unknown = '', options: unknown = 'Error') {
    super(String(message));
    const named = typeof options === 'object' && options !== null ? ((options as { name?: unknown }).name ?? 'Error') : options;
    this.#name = String(named);
    const cause = typeof options === 'object' && options !== null ? (options as { cause?: unknown }).cause : undefined;
    if (cause !== undefined) define(this, 'cause', cause);
  }

  override get name(): string {
    return this.#name;
  }

  get code(): number {
    return CODES[this.#name] ?? 0;
  }

  get [Symbol.toStringTag](): string {
    return 'DOMException';
  }
}

export function installDomException(): void {
  define(globalThis, 'DOMException', DOMException);
}
