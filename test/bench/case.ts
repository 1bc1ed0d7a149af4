import type { Measured } from './measure.ts';

/** What every case gets: servers of the run. The floors are measured first, in the same run. */
export interface BenchServers {
  readonly databaseUrl: string;
  readonly natsUrl: string;
}

export interface Floors {
  /** Request and reply of 2 KB between two processes. */
  readonly natsRoundTrip: Measured;
  /** BEGIN, INSERT, COMMIT on one connection. */
  readonly postgresTransaction: Measured;
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
}

export interface BenchCase {
  readonly name: string;
  run(servers: BenchServers, floors: Floors): Promise<BenchReport>;
}
