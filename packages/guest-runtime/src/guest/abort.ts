import { DOMException } from './dom-exception.ts';
import { Event, EventTarget } from './events.ts';
import { define } from './primordials.ts';
import { arm } from './timers.ts';

const making: unique symbol = Symbol('made by the runtime');
let abort: (signal: AbortSignal, reason: unknown) => void;

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown;
  readonly #dependents: AbortSignal[] = [];
  onabort: ((event: Event) => unknown) | null = null;

  static {
    abort = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
      const event = new Event('abort');
      signal.dispatchEvent(event);
      for (const dependent of signal.#dependents) abort(dependent, signal.#reason);
    };
  }

  constructor(made?: unknown) {
    if (made !== making) throw new TypeError('Illegal constructor');
    super();
    this.addEventListener('abort', (event) => this.onabort?.(event));
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(making);
    abort(signal, reason);
    return signal;
  }

  static timeout(ms: number): AbortSignal {
    const signal = new AbortSignal(making);
    arm(() => abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')), ms, 'once', []);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const result = new AbortSignal(making);
    const sources = [...signals];
    const already = sources.find((source) => source.aborted);
    if (already !== undefined) abort(result, already.reason);
    else for (const source of sources) source.#dependents.push(result);
    return result;
  }

  override get [Symbol.toStringTag](): string {
    return 'AbortSignal';
  }
}

class AbortController {
  readonly #signal = new AbortSignal(making);

  get signal(): AbortSignal {
    return this.#signal;
  }

  abort(reason?: unknown): void {
    abort(this.#signal, reason);
  }

  get [Symbol.toStringTag](): string {
    return 'AbortController';
  }
}

export function installAbort(): void {
  for (const [name, made] of Object.entries({ AbortSignal, AbortController })) {
    // The bundler may have renamed a class that refers to itself.
    Object.defineProperty(made, 'name', { value: name, configurable: true });
    define(globalThis, name, made);
  }
}
