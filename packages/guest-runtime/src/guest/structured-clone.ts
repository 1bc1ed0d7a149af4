import { DOMException } from './dom-exception.ts';
import { define } from './primordials.ts';

const ERRORS: Readonly<Record<string, ErrorConstructor>> = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
/** Taken before it was removed; detaches what is transferred. */
const transfer = (ArrayBuffer.prototype as unknown as { transfer?: (this: ArrayBuffer) => ArrayBuffer }).transfer;
const tagOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1);

type Memory = Map<object, unknown>;

/** `structuredClone` of the standard for the types that a guest has. */
function structuredClone(value: unknown, options?: { readonly transfer?: Iterable<unknown> }): unknown {
  const memory: Memory = new Map();
  for (const item of options?.transfer ?? []) {
    if (!(item instanceof ArrayBuffer) || memory.has(item)) throw cannotClone(item);
    memory.set(item, transfer === undefined ? item.slice(0) : transfer.call(item));
  }
  return clone(value, memory);
}

function cannotClone(value: unknown): DOMException {
  const text = typeof value === 'symbol' ? value.toString() : typeof value === 'function' ? `${value}`.slice(0, 200) : '#<Object>';
  return new DOMException(`${text} could not be cloned.`, 'DataCloneError');
}

function clone(value: unknown, memory: Memory): unknown {
  if (typeof value === 'symbol' || typeof value === 'function') throw cannotClone(value);
  if (typeof value !== 'object' || value === null) return value;
  if (memory.has(value)) return memory.get(value);
  const leaf = cloneLeaf(value, memory);
  if (leaf !== undefined) {
    memory.set(value, leaf);
    return leaf;
  }
  return cloneContainer(value, memory);
}

function cloneLeaf(value: object, memory: Memory): object | undefined {
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof Boolean || value instanceof Number || value instanceof String || value instanceof BigInt) return Object(value.valueOf());
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (ArrayBuffer.isView(value)) return cloneView(value as Uint8Array, memory);
  const tag = tagOf(value);
  if (value instanceof WeakMap || value instanceof WeakSet || value instanceof Promise || tag === 'Symbol') throw cannotClone(value);
  return undefined;
}

function cloneView(view: Uint8Array, memory: Memory): object {
  const buffer = clone(view.buffer, memory) as ArrayBuffer;
  const Made = view.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => object;
  return new Made(buffer, view.byteOffset, view instanceof DataView ? view.byteLength : view.length);
}

function cloneContainer(value: object, memory: Memory): object {
  if (Error.isError(value)) return cloneError(value as Error, memory);
  if (value instanceof Map) {
    const copy = new Map<unknown, unknown>();
    memory.set(value, copy);
    for (const [key, item] of [...value]) copy.set(clone(key, memory), clone(item, memory));
    return copy;
  }
  if (value instanceof Set) {
    const copy = new Set<unknown>();
    memory.set(value, copy);
    for (const item of [...value]) copy.add(clone(item, memory));
    return copy;
  }
  const copy = (Array.isArray(value) ? new Array(value.length) : {}) as Record<string, unknown>;
  memory.set(value, copy);
  for (const key of Object.keys(value)) {
    const item = clone((value as Record<string, unknown>)[key], memory);
    Object.defineProperty(copy, key, { value: item, writable: true, enumerable: true, configurable: true });
  }
  return copy;
}

function cloneError(error: Error, memory: Memory): Error {
  const Made = ERRORS[error.name] ?? Error;
  const copy = new Made(String(error.message));
  memory.set(error, copy);
  define(copy, 'stack', String(error.stack));
  if ('cause' in error) define(copy, 'cause', clone(error.cause, memory));
  return copy;
}

export function installStructuredClone(): void {
  define(globalThis, 'structuredClone', structuredClone);
}
