import { construct, define, defineProperty, deleteProperty, SafeArrayBuffer, SafeError, SafeRangeError } from './primordials.ts';

/** Frames kept in a stack: enough to read, too few to fill memory with long function names. */
const STACK_FRAMES = 30;

/**
 * WebAssembly and shared memory are memory that no heap limit counts, and a clock; WeakRef and FinalizationRegistry make the garbage
 * collector visible and run code outside every time limit.
 */
const REMOVED = ['WebAssembly', 'SharedArrayBuffer', 'WeakRef', 'FinalizationRegistry', 'ShadowRealm', 'escape', 'unescape', 'gc'] as const;

/** `Atomics` is left: V8 adds to it in every context made from a snapshot, and ends the process when it is gone. `hardenContext` removes it. */
export function removeGlobals(): void {
  for (const name of REMOVED) delete (globalThis as Record<string, unknown>)[name];
}

/**
 * V8 calls `Error.prepareStackTrace` of the real constructor whenever a stack is read, also when the engine reads it outside every time
 * limit. An assignment is ignored instead of refused, because libraries try it at load.
 */
export function lockStackFormat(): void {
  defineProperty(SafeError, 'prepareStackTrace', { get: () => undefined, set: () => undefined, configurable: false, enumerable: false });
}

/**
 * After the context is made and before guest code is: V8 adds `stackTraceLimit`, WebAssembly, SharedArrayBuffer and Temporal to every context, also to one from a snapshot
 * (and ends the process where a snapshot holds the first as a fixed property). It must be a data property, V8 calls no getter of it, and it may be written:
 * strict libraries do at load, and would throw. A plug-in that raises it pays from its own heap and time; what leaves the isolate of a stack is cut by
 * `describe.ts`.
 */
export function hardenContext(): void {
  removeGlobals();
  delete (globalThis as Record<string, unknown>)['Atomics'];
  defineProperty(SafeError, 'stackTraceLimit', { value: STACK_FRAMES, writable: true, configurable: true, enumerable: true });
}

/** For a bundle that set it while a snapshot was made; one that made it unchangeable cannot be helped, and is loaded without a snapshot. */
export function leaveStackTraceLimitToV8(): void {
  deleteProperty(SafeError, 'stackTraceLimit');
}

/** Resizable buffers live outside the heap that the isolate's limit counts (2.4 GB were held under a limit of 64 MB). */
export function wrapArrayBuffer(): void {
  const prototype = SafeArrayBuffer.prototype as unknown as Record<string, unknown>;
  for (const name of ['resize', 'transfer', 'transferToFixedLength']) delete prototype[name];
  const wrapped = function ArrayBuffer(length: number, options?: { maxByteLength?: unknown }): object {
    if (new.target === undefined) throw new TypeError("Constructor ArrayBuffer requires 'new'");
    if (options !== null && typeof options === 'object' && options.maxByteLength !== undefined) {
      throw new SafeRangeError('ArrayBuffer: a plug-in cannot make resizable buffers (maxByteLength)');
    }
    return construct(SafeArrayBuffer, [length], new.target) as object;
  };
  defineProperty(wrapped, 'length', { value: 1, configurable: true });
  defineProperty(wrapped, 'prototype', { value: prototype, writable: false, enumerable: false, configurable: false });
  define(wrapped, 'isView', SafeArrayBuffer.isView);
  defineProperty(wrapped, Symbol.species, { get: species, configurable: true, enumerable: false });
  define(prototype, 'constructor', wrapped);
  define(globalThis, 'ArrayBuffer', wrapped);
}

function species(this: unknown): unknown {
  return this;
}
