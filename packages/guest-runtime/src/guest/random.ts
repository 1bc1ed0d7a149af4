import { define, indexOf, SafeTypeError, SafeUint8Array, SafeUint32Array } from './primordials.ts';

/**
 * Randomness comes from the execution's seed, so that a recorded execution replays exactly. The host draws the seed (128 random bits) for every
 * execution; the ChaCha20 block function (RFC 8439, the seed given twice as its key) makes the values as hard to guess as the seed itself.
 */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;
const VALUES_STREAM = 1;
const MATH_STREAM = 2;
const BLOCK_BYTES = 64;

let key: Uint32Array = new SafeUint32Array(8);
let counter = 0;
const block: Uint8Array = new SafeUint8Array(BLOCK_BYTES);
let used = BLOCK_BYTES;
let a = 0;
let b = 0;
let c = 0;
let d = 0;
let mathSeeded = false;

export function seedRandom(hex: string): void {
  key = new SafeUint32Array(8);
  for (let word = 0; word < 4; word += 1) {
    let value = 0;
    for (let digit = 0; digit < 8; digit += 1) value = (value << 4) | hexDigit(hex[word * 8 + digit]);
    key[word] = value;
    key[word + 4] = value;
  }
  counter = 0;
  used = BLOCK_BYTES;
  mathSeeded = false;
}

function hexDigit(text: string | undefined): number {
  if (text === undefined) return 0;
  if (text >= '0' && text <= '9') return +text;
  return text >= 'a' && text <= 'f' ? indexOf('abcdef', text, 0) + 10 : 0;
}

function chachaBlock(stream: number, count: number): Uint32Array {
  const start = new SafeUint32Array(16);
  for (let word = 0; word < 4; word += 1) start[word] = CONSTANTS[word] as number;
  for (let word = 0; word < 8; word += 1) start[word + 4] = key[word] as number;
  start[12] = count;
  start[13] = stream;
  const state = new SafeUint32Array(16);
  for (let word = 0; word < 16; word += 1) state[word] = start[word] as number;
  for (let round = 0; round < 10; round += 1) {
    for (let column = 0; column < 4; column += 1) quarter(state, column, column + 4, column + 8, column + 12);
    for (let column = 0; column < 4; column += 1) {
      quarter(state, column, 4 + ((column + 1) & 3), 8 + ((column + 2) & 3), 12 + ((column + 3) & 3));
    }
  }
  for (let word = 0; word < 16; word += 1) state[word] = ((state[word] as number) + (start[word] as number)) | 0;
  return state;
}

function quarter(state: Uint32Array, w: number, x: number, y: number, z: number): void {
  mix(state, w, x, z, 16);
  mix(state, y, z, x, 12);
  mix(state, w, x, z, 8);
  mix(state, y, z, x, 7);
}

/** state[into] += state[from]; state[turned] = rotate(state[turned] ^ state[into], bits) */
function mix(state: Uint32Array, into: number, from: number, turned: number, bits: number): void {
  const sum = ((state[into] as number) + (state[from] as number)) | 0;
  state[into] = sum;
  const value = (state[turned] as number) ^ sum;
  state[turned] = (value << bits) | (value >>> (32 - bits));
}

export function randomByte(): number {
  if (used === BLOCK_BYTES) {
    const words = chachaBlock(VALUES_STREAM, counter);
    counter += 1;
    for (let index = 0; index < BLOCK_BYTES; index += 1) block[index] = (words[index >> 2] as number) >>> ((index & 3) * 8);
    used = 0;
  }
  const value = block[used] as number;
  used += 1;
  return value;
}

/** sfc32, seeded by a ChaCha20 block of its own: quick, and what it reveals of itself says nothing about the seed. */
function random32(): number {
  if (!mathSeeded) {
    const words = chachaBlock(MATH_STREAM, 0);
    a = words[0] as number;
    b = words[1] as number;
    c = words[2] as number;
    d = words[3] as number;
    mathSeeded = true;
  }
  const sum = (((a + b) | 0) + d) | 0;
  d = (d + 1) | 0;
  a = b ^ (b >>> 9);
  b = (c + (c << 3)) | 0;
  c = (c << 21) | (c >>> 11);
  c = (c + sum) | 0;
  return sum >>> 0;
}

/** A double in [0, 1) with 53 random bits. */
function random(): number {
  return ((random32() >>> 5) * 0x4000000 + (random32() >>> 6)) / 0x20000000000000;
}

const MAX_VALUES_BYTES = 65_536;
const HEX = '0123456789abcdef';

export function getRandomValues<T extends Uint8Array>(array: T): T {
  const tag: unknown = ArrayBuffer.isView(array) ? (array as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] : undefined;
  if (typeof tag !== 'string' || tag.startsWith('Float'))
    throw new SafeTypeError('crypto.getRandomValues: the argument must be an integer typed array');
  if (array.byteLength > MAX_VALUES_BYTES) {
    throw new DOMException(
      `crypto.getRandomValues: ${array.byteLength} bytes asked for, ${MAX_VALUES_BYTES} at once are allowed`,
      'QuotaExceededError',
    );
  }
  const bytes = new SafeUint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = randomByte();
  return array;
}

export function randomUuid(): string {
  let text = '';
  for (let index = 0; index < 16; index += 1) {
    let byte = randomByte();
    if (index === 6) byte = (byte & 0x0f) | 0x40;
    if (index === 8) byte = (byte & 0x3f) | 0x80;
    text += (HEX[byte >> 4] as string) + (HEX[byte & 15] as string);
    if (index === 3 || index === 5 || index === 7 || index === 9) text += '-';
  }
  return text;
}

export function installRandom(): void {
  define(Math, 'random', random);
}

/** Defined by `events.ts`; a global by the time that guest code runs. */
declare const DOMException: new (message: string, name: string) => Error;
