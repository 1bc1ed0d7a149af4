import { charCodeAt, codePointAt, define } from './primordials.ts';

const LABELS: Readonly<Record<string, string>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  'unicode-1-1-utf-8': 'utf-8',
  'utf-16le': 'utf-16le',
  'utf-16': 'utf-16le',
  'ucs-2': 'utf-16le',
  latin1: 'windows-1252',
  'iso-8859-1': 'windows-1252',
  ascii: 'windows-1252',
  'us-ascii': 'windows-1252',
  'windows-1252': 'windows-1252',
};
/** What windows-1252 (the web's latin1) has at 0x80 to 0x9f. */
const WINDOWS_1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';
const PIECE = 4_096;

/** Writes UTF-8 into `target` as far as it goes; lone surrogates become U+FFFD. */
function encodeInto(text: string, target: Uint8Array): { readonly read: number; readonly written: number } {
  let written = 0;
  let read = 0;
  while (read < text.length) {
    let point = codePointAt(text, read) as number;
    const units = point > 0xffff ? 2 : 1;
    if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
    const bytes = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (written + bytes > target.length) break;
    if (bytes === 1) target[written] = point;
    else {
      target[written] = ((0xf00 >> bytes) & 0xff) | (point >> (6 * (bytes - 1)));
      for (let index = 1; index < bytes; index += 1) target[written + index] = 0x80 | ((point >> (6 * (bytes - 1 - index))) & 0x3f);
    }
    written += bytes;
    read += units;
  }
  return { read, written };
}

class TextEncoder {
  get encoding(): string {
    return 'utf-8';
  }

  encode(text: unknown = ''): Uint8Array {
    const given = String(text);
    const target = new Uint8Array(given.length * 3);
    return target.slice(0, encodeInto(given, target).written);
  }

  encodeInto(text: string, target: Uint8Array): { readonly read: number; readonly written: number } {
    return encodeInto(String(text), target);
  }

  get [Symbol.toStringTag](): string {
    return 'TextEncoder';
  }
}

function bytesOf(input: unknown): Uint8Array {
  if (input === undefined) return new Uint8Array(0);
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer as ArrayBuffer, input.byteOffset, input.byteLength);
  throw new TypeError('The input must be an ArrayBuffer or a view of one');
}

/** Collects code points; `String.fromCodePoint` is called for pieces, not for each. */
interface Output {
  text: string;
  piece: number[];
}

function put(output: Output, point: number): void {
  output.piece.push(point);
  if (output.piece.length >= PIECE) flush(output);
}

function flush(output: Output): void {
  output.text += String.fromCodePoint(...output.piece);
  output.piece = [];
}

interface DecodeOptions {
  readonly stream?: boolean;
}

/** Bytes at the end of a chunk that are the start of a character. */
type Rest = Uint8Array;

interface Utf8Lead {
  readonly needed: number;
  readonly lower: number;
  readonly upper: number;
  readonly bits: number;
}

function utf8Lead(byte: number): Utf8Lead | undefined {
  if (byte >= 0xc2 && byte <= 0xdf) return { needed: 1, lower: 0x80, upper: 0xbf, bits: byte & 0x1f };
  if (byte >= 0xe0 && byte <= 0xef) return { needed: 2, lower: byte === 0xe0 ? 0xa0 : 0x80, upper: byte === 0xed ? 0x9f : 0xbf, bits: byte & 0xf };
  if (byte >= 0xf0 && byte <= 0xf4) return { needed: 3, lower: byte === 0xf0 ? 0x90 : 0x80, upper: byte === 0xf4 ? 0x8f : 0xbf, bits: byte & 7 };
  return undefined;
}

function decodeUtf8(bytes: Uint8Array, output: Output, isLast: boolean, bad: () => void): Rest {
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    if (byte < 0x80) {
      put(output, byte);
      at += 1;
      continue;
    }
    const lead = utf8Lead(byte);
    let point = lead?.bits ?? 0;
    let read = 1;
    for (; lead !== undefined && read <= lead.needed && at + read < bytes.length; read += 1) {
      const next = bytes[at + read] as number;
      if (next < (read === 1 ? lead.lower : 0x80) || next > (read === 1 ? lead.upper : 0xbf)) break;
      point = (point << 6) | (next & 0x3f);
    }
    if (lead !== undefined && read > lead.needed) put(output, point);
    else if (lead !== undefined && at + read >= bytes.length && !isLast) return bytes.slice(at);
    else {
      bad();
      put(output, 0xfffd);
    }
    at += read;
  }
  return new Uint8Array(0);
}

function decodeUtf16(bytes: Uint8Array, output: Output, isLast: boolean, bad: () => void): Rest {
  let at = 0;
  const unitAt = (index: number): number => (bytes[index] as number) | ((bytes[index + 1] as number) << 8);
  for (; at + 1 < bytes.length; at += 2) {
    const unit = unitAt(at);
    const isHigh = unit >= 0xd800 && unit <= 0xdbff;
    if (isHigh && at + 3 >= bytes.length && !isLast) return bytes.slice(at);
    const low = isHigh && at + 3 < bytes.length ? unitAt(at + 2) : 0;
    if (low >= 0xdc00 && low <= 0xdfff) {
      put(output, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
      at += 2;
    } else if (unit >= 0xd800 && unit <= 0xdfff) {
      bad();
      put(output, 0xfffd);
    } else put(output, unit);
  }
  if (at >= bytes.length) return new Uint8Array(0);
  if (!isLast) return bytes.slice(at);
  bad();
  put(output, 0xfffd);
  return new Uint8Array(0);
}

function decodeWindows1252(bytes: Uint8Array, output: Output): Rest {
  for (const byte of bytes) put(output, byte >= 0x80 && byte <= 0x9f ? charCodeAt(WINDOWS_1252, byte - 0x80) : byte);
  return new Uint8Array(0);
}

class TextDecoder {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  #rest: Rest = new Uint8Array(0);
  #isStarted = false;

  constructor(label: unknown = 'utf-8', options: { readonly fatal?: boolean; readonly ignoreBOM?: boolean } = {}) {
    const encoding = LABELS[String(label).trim().toLowerCase()];
    if (encoding === undefined)
      throw new RangeError(`The encoding '${String(label).slice(0, 64)}' is not supported; utf-8, utf-16le and latin1 are.`);
    this.encoding = encoding;
    this.fatal = Boolean(options?.fatal);
    this.ignoreBOM = Boolean(options?.ignoreBOM);
  }

  decode(input?: unknown, options?: DecodeOptions): string {
    const isLast = options?.stream !== true;
    const given = bytesOf(input);
    const bytes = this.#rest.length === 0 ? given : joined(this.#rest, given);
    const output: Output = { text: '', piece: [] };
    this.#rest = new Uint8Array(0);
    const bad = (): void => {
      if (this.fatal) throw new TypeError(`The encoded data was not valid for encoding ${this.encoding}`);
    };
    if (this.encoding === 'utf-8') this.#rest = decodeUtf8(bytes, output, isLast, bad);
    else if (this.encoding === 'utf-16le') this.#rest = decodeUtf16(bytes, output, isLast, bad);
    else decodeWindows1252(bytes, output);
    flush(output);
    return this.#withoutMark(output.text, isLast);
  }

  #withoutMark(text: string, isLast: boolean): string {
    const isFirst = !this.#isStarted;
    this.#isStarted = !isLast && (this.#isStarted || text !== '');
    const hasMark = isFirst && !this.ignoreBOM && this.encoding !== 'windows-1252' && text[0] === '\ufeff';
    return hasMark ? text.slice(1) : text;
  }

  get [Symbol.toStringTag](): string {
    return 'TextDecoder';
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

// At once and not on call: the URL library takes its own encoder when its module is evaluated.
define(globalThis, 'TextEncoder', TextEncoder);
define(globalThis, 'TextDecoder', TextDecoder);
