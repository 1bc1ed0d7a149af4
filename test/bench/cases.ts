import type { BenchCase } from './case.ts';
import { syncStep } from './sync-step.ts';

/** In the order in which they run and are printed. */
export const cases: readonly BenchCase[] = [syncStep];
