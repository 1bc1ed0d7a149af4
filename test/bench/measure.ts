import { setTimeout as sleep } from 'node:timers/promises';

/** Medians of many short runs. Only ratios of one and the same run mean anything on another machine. */
export interface Measured {
  readonly name: string;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly runs: number;
}

/** One of the things that are measured beside each other. */
export interface Lane {
  readonly name: string;
  run(): Promise<unknown>;
}

export interface InterleaveOptions {
  /** Untimed runs of each lane before the first round, without pauses: the compilers shall be done. */
  readonly warmUps: number;
  readonly rounds: number;
  /** Runs of a lane before the next lane's turn. */
  readonly block: number;
  /** Before each run of each lane: the time in which a worker prepares for the next. The same for all, because a machine that idled is slower. */
  readonly pauseMs: number;
}

/** Median of a lane within one round. */
export type RoundMedians = ReadonlyMap<Lane, number>;

export interface Interleaved {
  readonly measured: readonly Measured[];
  /** Median over the rounds of what `of` makes of one round: a machine that was busy for a while was so for both sides of a ratio. */
  median(of: (medianMs: (lane: Lane) => number) => number): number;
}

const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};
export const medianOf = (values: readonly number[]): number => quantile(values, 0.5);

export const summarize = (name: string, times: readonly number[]): Measured => ({
  name,
  medianMs: medianOf(times),
  p95Ms: quantile(times, 0.95),
  runs: times.length,
});

async function timed(lane: Lane): Promise<number> {
  const startedAt = performance.now();
  await lane.run();
  return performance.now() - startedAt;
}

async function block(lane: Lane, runs: number, pauseMs: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    await sleep(pauseMs);
    times.push(await timed(lane));
  }
  return times;
}

/** Runs the lanes in turns, A B C, C B A …, so that whatever else the machine does meets all of them alike. */
export async function interleave(lanes: readonly Lane[], { warmUps, rounds, block: runs, pauseMs }: InterleaveOptions): Promise<Interleaved> {
  for (const lane of lanes) await block(lane, warmUps, 0);
  const all = new Map<Lane, number[]>(lanes.map((lane) => [lane, []]));
  const medians: RoundMedians[] = [];
  for (let round = 0; round < rounds; round++) {
    const ofRound = new Map<Lane, number>();
    for (const lane of round % 2 === 0 ? lanes : lanes.toReversed()) {
      const times = await block(lane, runs, pauseMs);
      all.get(lane)?.push(...times);
      ofRound.set(lane, medianOf(times));
    }
    medians.push(ofRound);
  }
  return {
    measured: lanes.map((lane) => summarize(lane.name, all.get(lane) ?? [])),
    median: (of) => medianOf(medians.map((ofRound) => of((lane) => ofRound.get(lane) ?? Number.NaN))),
  };
}
