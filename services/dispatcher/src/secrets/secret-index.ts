/** Characters by which an occurrence is noticed; no secret is shorter. */
export const GRAM_CHARS = 8;
const BASE = 0x01000193;
const BITS = 16;
/** Grams of one index; beyond it every beginning of a text is looked at closely. */
const MAX_GRAMS = 20_000;

/** So many are quicker looked for one by one: the engine searches far faster than a loop of ours. */
const FEW_ANCHORS = 24;

/** `BASE` to the power of `GRAM_CHARS`, in 32 bits: what the oldest character counts in the next hash. */
const OLDEST = Array.from({ length: GRAM_CHARS }).reduce<number>((power) => Math.imul(power, BASE), 1);

function hashAt(text: string, at: number): number {
  let hash = 0;
  for (let index = at; index < at + GRAM_CHARS; index += 1) hash = Math.imul(hash, BASE) + text.charCodeAt(index);
  return hash | 0;
}

const slotOf = (hash: number) => (Math.imul(hash, 0x9e3779b1) >>> (32 - BITS)) | 0;

/** Finds out in one pass over a text, whatever the number of secrets, which of them it may hold. */
export interface SecretIndex {
  /** Values of which one of the given beginnings occurs in the text, in the order in which they were given. */
  candidates(text: string): readonly string[];
  /** False: the text does not begin with a piece of any value. */
  mayBeginInside(text: string): boolean;
}

/** `anchorsOf` answers where in a value its anchors begin. */
export function createSecretIndex(values: readonly string[], anchorsOf: (value: string) => readonly number[]): SecretIndex {
  const anchors: { readonly anchor: string; readonly value: string }[] = [];
  const anchored = new Map<number, { readonly anchor: string; readonly value: string }[]>();
  const anchorSlots = new Uint8Array(1 << BITS);
  const gramSlots = new Uint8Array(1 << BITS);
  let grams = 0;
  for (const value of values) {
    for (const at of anchorsOf(value)) {
      const hash = hashAt(value, at);
      anchorSlots[slotOf(hash)] = 1;
      const found = { anchor: value.slice(at, at + GRAM_CHARS), value };
      anchors.push(found);
      anchored.set(hash, [...(anchored.get(hash) ?? []), found]);
    }
    grams += value.length;
    if (grams <= MAX_GRAMS) for (let at = 0; at + GRAM_CHARS <= value.length; at += 1) gramSlots[slotOf(hashAt(value, at))] = 1;
  }
  if (grams > MAX_GRAMS) gramSlots.fill(1);
  return {
    candidates(text) {
      if (anchors.length <= FEW_ANCHORS) {
        const present = new Set(anchors.filter(({ anchor }) => text.includes(anchor)).map(({ value }) => value));
        return present.size === 0 ? [] : values.filter((value) => present.has(value));
      }
      const found = new Set<string>();
      let hash = hashAt(text, 0);
      for (let at = 0; at + GRAM_CHARS <= text.length; at += 1) {
        if (anchorSlots[slotOf(hash)] === 1) {
          for (const { anchor, value } of anchored.get(hash) ?? []) if (text.startsWith(anchor, at)) found.add(value);
        }
        hash = (Math.imul(hash, BASE) + text.charCodeAt(at + GRAM_CHARS) - Math.imul(text.charCodeAt(at), OLDEST)) | 0;
      }
      return found.size === 0 ? [] : values.filter((value) => found.has(value));
    },
    mayBeginInside: (text) => text.length >= GRAM_CHARS && gramSlots[slotOf(hashAt(text, 0))] === 1,
  };
}
