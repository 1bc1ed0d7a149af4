import type { BenchCase } from './case.ts';

/** In the order in which they run and are printed. */
export const cases: readonly BenchCase[] = [];
