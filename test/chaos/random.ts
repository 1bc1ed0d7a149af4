/** Numbers that follow from a seed, so that a run can be repeated. What processes do with their time cannot. */
export interface Random {
  /** From 0 up to 1. */
  next(): number;
  /** Both ends included. */
  whole(least: number, most: number): number;
  chance(share: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** A series of its own: who draws from it does not move the draws of others. */
  fork(): Random;
}

const TWO_TO_32 = 2 ** 32;

/** The mulberry32 generator: small, and good enough to choose what to break. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / TWO_TO_32;
  };
  const whole = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    whole,
    chance: (share) => next() < share,
    pick: (list) => {
      const found = list[whole(0, list.length - 1)];
      if (found === undefined) throw new RangeError('nothing to pick from');
      return found;
    },
    fork: () => randomOf(Math.floor(next() * TWO_TO_32)),
  };
}
