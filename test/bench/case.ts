import type { Measured } from './measure.ts';

/** Servers of the run; every case measures the floors that it needs itself, in turns with what it compares them to. */
export interface BenchServers {
  /** A database of its own for each name. */
  readonly database: (name: string) => Promise<string>;
  readonly natsUrl: string;
}

/** One ratio and the goal it is held to. */
export interface Ratio {
  readonly name: string;
  readonly ratio: number;
  readonly atMost: number;
}

export interface BenchReport {
  readonly measured: readonly Measured[];
  readonly ratios: readonly Ratio[];
  /** What could not be compared here, and why. */
  readonly notes?: readonly string[];
}

export interface BenchCase {
  readonly name: string;
  run(servers: BenchServers): Promise<BenchReport>;
}
