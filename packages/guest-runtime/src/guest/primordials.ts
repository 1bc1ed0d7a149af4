/**
 * The intrinsics that the trusted part of the runtime uses, taken before guest code runs: a bundle may replace any builtin, by
 * mischief or as a polyfill, and what the runtime says of an execution must not change with it. Trusted paths use these and
 * language syntax only: no method calls on values, no spread or for-of over arrays (their iterator can be replaced).
 */
const { bind, call } = Function.prototype;

/** `method.call` as a function: `uncurry(String.prototype.slice)(text, 0, 3)`. */
const uncurry = bind.bind(call) as <This, Args extends readonly unknown[], Result>(
  method: (this: This, ...args: Args) => Result,
) => (self: This, ...args: Args) => Result;

export const { apply, construct, defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
export const { create: createObject, freeze, keys, setPrototypeOf } = Object;
export const hasOwn = Object.hasOwn as (value: object, key: PropertyKey) => boolean;
export const { isArray } = Array;
export const { parse: jsonParse, stringify: jsonStringify } = JSON;
export const { floor, max, min } = Math;
export const { isInteger, isFinite: isFiniteNumber } = Number;
export const SafeArray = Array;
export const SafeArrayBuffer = ArrayBuffer;
export const SafeDate = Date;
export const SafeError = Error;
export const SafeFunction = Function;
export const SafeMap = Map;
export const SafePromise = Promise;
export const SafeRangeError = RangeError;
export const SafeTypeError = TypeError;
export const SafeUint32Array = Uint32Array;
export const SafeUint8Array = Uint8Array;
export const SafeString = String;
export const SafeBigInt = BigInt;
export const ObjectPrototype = Object.prototype;
export const ArrayPrototype = Array.prototype;

/** Newer than the compiler's library types know. */
export const isError = (Error as unknown as { isError(value: unknown): boolean }).isError;
export const captureStackTrace = (Error as unknown as { captureStackTrace(target: object, above?: unknown): void }).captureStackTrace;

export const mapGet = uncurry(Map.prototype.get) as <K, V>(map: Map<K, V>, key: K) => V | undefined;
export const mapSet = uncurry(Map.prototype.set) as <K, V>(map: Map<K, V>, key: K, value: V) => Map<K, V>;
export const mapDelete = uncurry(Map.prototype.delete) as <K, V>(map: Map<K, V>, key: K) => boolean;
export const mapForEach = uncurry(Map.prototype.forEach) as <K, V>(map: Map<K, V>, each: (value: V, key: K) => void) => void;
const mapSizeOf = getOwnPropertyDescriptor(Map.prototype, 'size')?.get as (this: Map<unknown, unknown>) => number;
export const mapSize = uncurry(mapSizeOf);
export const slice = uncurry(String.prototype.slice);
export const indexOf = uncurry(String.prototype.indexOf);
export const charCodeAt = uncurry(String.prototype.charCodeAt);
export const codePointAt = uncurry(String.prototype.codePointAt);
export const symbolToString = uncurry(Symbol.prototype.toString);

/** UTF-8 bytes of a text; lone surrogates count as the replacement character they will become. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = charCodeAt(text, index);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit >= 0xd800 && unit <= 0xdbff && (charCodeAt(text, index + 1) & 0xfc00) === 0xdc00) {
      bytes += 2;
      index += 1;
    } else bytes += 2;
  }
  return bytes;
}

/** Whether a text is longer than `limit` UTF-8 bytes; counts only where the UTF-16 length does not decide. */
export function longerThan(text: string, limit: number): boolean {
  if (text.length * 3 <= limit) return false;
  return text.length > limit || utf8Length(text) > limit;
}

/** Defines a global or a member as the platform's own are: writable and configurable, but not enumerable. */
export function define(target: object, name: PropertyKey, value: unknown): void {
  defineProperty(target, name, { __proto__: null, value, writable: true, configurable: true, enumerable: false } as PropertyDescriptor);
}

/** Defines a member that nobody can change. */
export function defineFixed(target: object, name: PropertyKey, value: unknown): void {
  defineProperty(target, name, { __proto__: null, value, writable: false, configurable: false, enumerable: false } as PropertyDescriptor);
}
