import { DOMException } from './dom-exception.ts';
import { charCodeAt, define } from './primordials.ts';

/** Bytes made text at once; `String.fromCharCode` takes no more arguments than the stack holds. */
const PIECE = 4_096;

interface Base64 {
  toBase64(): string;
}
let bytesToBase64: Base64['toBase64'] | undefined;
let base64ToBytes: ((text: string) => Uint8Array) | undefined;

/** V8 adds these to a context after its snapshot: they are there before guest code, but not yet when the runtime is evaluated into a snapshot. */
export function takeBase64(): void {
  bytesToBase64 ??= (Uint8Array.prototype as unknown as Partial<Base64>).toBase64;
  base64ToBytes ??= (Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array }).fromBase64;
}

function missing(): never {
  throw new TypeError('base64 cannot be used while a snapshot of the bundle is made');
}

export const encodeBase64 = (bytes: Uint8Array): string => (bytesToBase64 ?? missing()).call(bytes);
export const decodeBase64 = (text: string): Uint8Array => (base64ToBytes ?? missing()).call(Uint8Array, text);

function btoa(text: unknown): string {
  const given = String(text);
  const bytes = new Uint8Array(given.length);
  for (let index = 0; index < given.length; index += 1) {
    const unit = charCodeAt(given, index);
    if (unit > 0xff) throw new DOMException('btoa: the text holds characters outside of Latin1', 'InvalidCharacterError');
    bytes[index] = unit;
  }
  return encodeBase64(bytes);
}

function atob(text: unknown): string {
  let given = String(text).replace(/[\t\n\f\r ]/g, '');
  if (given.length % 4 === 0) given = given.replace(/={1,2}$/, '');
  if (given.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(given)) {
    throw new DOMException('atob: the text is not correctly encoded', 'InvalidCharacterError');
  }
  const bytes = decodeBase64(given);
  let result = '';
  for (let from = 0; from < bytes.length; from += PIECE) result += String.fromCharCode(...bytes.subarray(from, from + PIECE));
  return result;
}

export function installBase64(): void {
  takeBase64();
  define(globalThis, 'btoa', btoa);
  define(globalThis, 'atob', atob);
}
