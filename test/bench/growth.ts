import { type BenchAirlock, startBenchAirlock } from './airlock-in-process.ts';
import { ruleBundle } from './bundles.ts';
import type { BenchCase, BenchReport } from './case.ts';
import { interleave } from './measure.ts';

const BUNDLES = 40;
const STEPS_EACH = 50;

/** One step costs the same whether it is the only one that is registered or one of two thousand, in one bundle of forty. */
export const growth: BenchCase = {
  name: 'growth',
  run: async (servers): Promise<BenchReport> => {
    const start = async (name: string): Promise<BenchAirlock> => {
      const databaseUrl = await servers.database(name);
      return await startBenchAirlock({ databaseUrl, natsUrl: servers.natsUrl }, { capacity: 2, pool: name });
    };
    await using few = await start('growth_few');
    await using many = await start('growth_many');
    for (const airlock of [few, many]) {
      await airlock.defineTable('bench_growth');
      await airlock.pushBundle('bench_growth', ruleBundle('bench_growth', 1));
    }
    await many.defineTable('bench_other');
    for (let bundle = 0; bundle < BUNDLES; bundle++)
      await many.pushBundle(`other_${bundle}`, ruleBundle('bench_other', STEPS_EACH, `other ${bundle}`));
    const alone = { name: 'create with one step, nothing else registered', run: () => few.create('bench_growth') };
    const among = { name: `create with one step, ${BUNDLES * STEPS_EACH} others registered`, run: () => many.create('bench_growth') };
    const result = await interleave([alone, among], { warmUps: 300, rounds: 40, block: 8, pauseMs: 25 });
    return {
      measured: result.measured,
      ratios: [
        {
          name: `cost with ${BUNDLES * STEPS_EACH} steps of ${BUNDLES} bundles / with one`,
          ratio: result.median((medianMs) => medianMs(among) / medianMs(alone)),
          atMost: 1.15,
        },
      ],
    };
  },
};
