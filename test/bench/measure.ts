/** Medians of many short runs. Only ratios of one and the same run mean anything on another machine. */
export interface Measured {
  readonly name: string;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly runs: number;
}

export interface MeasureOptions {
  readonly warmUps: number;
  readonly runs: number;
}

const quantile = (sorted: readonly number[], share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

/** Runs `work` one after the other. */
export async function measure(name: string, { warmUps, runs }: MeasureOptions, work: () => Promise<unknown>): Promise<Measured> {
  for (let run = 0; run < warmUps; run++) await work();
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  const sorted = times.toSorted((a, b) => a - b);
  return { name, medianMs: quantile(sorted, 0.5), p95Ms: quantile(sorted, 0.95), runs };
}
