import type { AbortSignal } from './abort.ts';
import { elapsedMs } from './clock.ts';
import { DOMException, installDomException } from './dom-exception.ts';
import { traceLine } from './execution.ts';
import { show } from './inspect.ts';
import { define } from './primordials.ts';

interface EventOptions {
  readonly bubbles?: boolean;
  readonly cancelable?: boolean;
  readonly composed?: boolean;
}

/** State that the target sets while it dispatches. */
interface Dispatching {
  target: EventTarget | null;
  stopped: boolean;
  passive: boolean;
  active: boolean;
}

let dispatchingOf: (event: Event) => Dispatching;

export class Event {
  readonly type: string;
  readonly bubbles: boolean;
  readonly cancelable: boolean;
  readonly composed: boolean;
  readonly timeStamp: number = elapsedMs();
  readonly isTrusted = false;
  readonly eventPhase = 0;
  #prevented = false;
  readonly #dispatching: Dispatching = { target: null, stopped: false, passive: false, active: false };

  static {
    dispatchingOf = (event) => event.#dispatching;
  }

  constructor(type: string, options: EventOptions = {}) {
    this.type = String(type);
    this.bubbles = Boolean(options?.bubbles);
    this.cancelable = Boolean(options?.cancelable);
    this.composed = Boolean(options?.composed);
  }

  get target(): EventTarget | null {
    return this.#dispatching.target;
  }

  get currentTarget(): EventTarget | null {
    return this.#dispatching.active ? this.#dispatching.target : null;
  }

  get defaultPrevented(): boolean {
    return this.#prevented;
  }

  preventDefault(): void {
    if (this.cancelable && !this.#dispatching.passive) this.#prevented = true;
  }

  stopPropagation(): void {}

  stopImmediatePropagation(): void {
    this.#dispatching.stopped = true;
  }

  composedPath(): EventTarget[] {
    const { active, target } = this.#dispatching;
    return active && target !== null ? [target] : [];
  }

  get [Symbol.toStringTag](): string {
    return 'Event';
  }
}

class CustomEvent extends Event {
  readonly detail: unknown;

  constructor(type: string, options: EventOptions & { readonly detail?: unknown } = {}) {
    super(type, options);
    this.detail = options?.detail ?? null;
  }
}

type Callback = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

interface Listener {
  readonly callback: Callback;
  readonly capture: boolean;
  readonly once: boolean;
  readonly passive: boolean;
  removed: boolean;
}

interface ListenerOptions {
  readonly capture?: boolean;
  readonly once?: boolean;
  readonly passive?: boolean;
  readonly signal?: AbortSignal;
}

const optionsOf = (options: boolean | ListenerOptions | undefined): ListenerOptions =>
  typeof options === 'boolean' ? { capture: options } : (options ?? {});

export class EventTarget {
  readonly #listeners = new Map<string, Listener[]>();

  addEventListener(type: string, callback: Callback | null, options?: boolean | ListenerOptions): void {
    const { capture = false, once = false, passive = false, signal } = optionsOf(options);
    if (callback === null || callback === undefined || signal?.aborted) return;
    const list = this.#listeners.get(String(type)) ?? [];
    if (list.some((listener) => listener.callback === callback && listener.capture === Boolean(capture))) return;
    this.#listeners.set(String(type), [
      ...list,
      { callback, capture: Boolean(capture), once: Boolean(once), passive: Boolean(passive), removed: false },
    ]);
    signal?.addEventListener('abort', () => this.removeEventListener(type, callback, options), { once: true });
  }

  removeEventListener(type: string, callback: Callback | null, options?: boolean | ListenerOptions): void {
    const { capture = false } = optionsOf(options);
    const list = this.#listeners.get(String(type)) ?? [];
    const kept = list.filter((listener) => {
      const isIt = listener.callback === callback && listener.capture === Boolean(capture);
      if (isIt) listener.removed = true;
      return !isIt;
    });
    this.#listeners.set(String(type), kept);
  }

  dispatchEvent(event: Event): boolean {
    const state = dispatchingOf(event);
    if (state.active) throw new DOMException('The event is being dispatched already.', 'InvalidStateError');
    state.target = this;
    state.active = true;
    state.stopped = false;
    for (const listener of this.#listeners.get(event.type) ?? []) {
      if (listener.removed) continue;
      if (listener.once) this.removeEventListener(event.type, listener.callback, listener.capture);
      state.passive = listener.passive;
      this.#call(listener.callback, event);
      if (state.stopped) break;
    }
    state.active = false;
    state.passive = false;
    return !event.defaultPrevented;
  }

  /** A listener's exception does not keep the others from being called; it is written to the trace. */
  #call(callback: Callback, event: Event): void {
    try {
      if (typeof callback === 'function') callback.call(this, event);
      else callback.handleEvent(event);
    } catch (error) {
      traceLine(`error: a listener of '${event.type}' threw ${show(error)}`);
    }
  }

  get [Symbol.toStringTag](): string {
    return 'EventTarget';
  }
}

export function installEvents(): void {
  installDomException();
  define(globalThis, 'Event', Event);
  define(globalThis, 'CustomEvent', CustomEvent);
  define(globalThis, 'EventTarget', EventTarget);
}
