import {
  ArrayPrototype,
  createObject,
  defineProperty,
  getPrototypeOf,
  hasOwn,
  isArray,
  jsonStringify,
  keys,
  longerThan,
  ObjectPrototype,
  SafeArray,
  SafeRangeError,
  SafeTypeError,
} from './primordials.ts';

const MAX_DEPTH = 64;
const DEFAULT_STATE_BYTES = 786_432;

/**
 * The state that a step leaves behind, as JSON. A `toJSON` on `Object.prototype` or `Array.prototype` (poison, or an old library) does not
 * change it: then the values are copied first into objects without a prototype.
 */
export function stateJson(state: object, limit = DEFAULT_STATE_BYTES): string {
  const text = isPoisoned() ? jsonStringify(copy(state, 0)) : jsonStringify(state);
  if (typeof text !== 'string') throw new SafeTypeError('The input, output and shared parameters cannot be written as JSON.');
  if (longerThan(text, limit)) throw new SafeRangeError(`The input, output and shared parameters are larger than ${limit} bytes of JSON.`);
  return text;
}

function isPoisoned(): boolean {
  return hasOwn(ObjectPrototype, 'toJSON') || hasOwn(ArrayPrototype, 'toJSON');
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) throw new SafeRangeError(`The input, output and shared parameters are nested deeper than ${MAX_DEPTH}.`);
  const prototype = getPrototypeOf(value);
  const isPlain = prototype === ObjectPrototype || prototype === null;
  // A class of its own (a date, a decimal) says itself how it is written; the poisoned prototypes do not count.
  if (!isPlain && prototype !== ArrayPrototype) {
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') return copy((value as { toJSON(): unknown }).toJSON(), depth + 1);
  }
  return isArray(value) ? copyArray(value, depth) : copyObject(value, depth);
}

function copyArray(value: readonly unknown[], depth: number): unknown {
  const copied = new SafeArray<unknown>(value.length);
  own(copied, 'toJSON', undefined, 'hidden');
  for (let index = 0; index < value.length; index += 1) own(copied, index, copy(value[index], depth + 1), 'listed');
  return copied;
}

function copyObject(value: object, depth: number): unknown {
  const copied = createObject(null) as Record<string, unknown>;
  const names = keys(value);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] as string;
    own(copied, name, copy((value as Record<string, unknown>)[name], depth + 1), 'listed');
  }
  return copied;
}

function own(target: object, name: PropertyKey, value: unknown, how: 'listed' | 'hidden'): void {
  const descriptor = createObject(null) as PropertyDescriptor;
  descriptor.value = value;
  descriptor.enumerable = how === 'listed';
  descriptor.writable = true;
  defineProperty(target, name, descriptor);
}
