import { startBenchAirlock } from './airlock-in-process.ts';
import { ruleBundle } from './bundles.ts';
import type { BenchCase, BenchReport } from './case.ts';
import { openInsertFloor } from './insert-floor.ts';
import { interleave } from './measure.ts';
import { openNatsFloor } from './nats-floor.ts';

/** The cost of synchronous steps, as `design.md` states it: over bare NATS round trips and over a bare transaction with the same insert. */
export const syncStep: BenchCase = {
  name: 'sync-step',
  run: async (servers): Promise<BenchReport> => {
    const databaseUrl = await servers.database('sync_step');
    await using airlock = await startBenchAirlock({ databaseUrl, natsUrl: servers.natsUrl }, { capacity: 2 });
    const lane = async (name: string, table: string, steps: number, stateless: boolean) => {
      await airlock.defineTable(table);
      if (steps > 0) await airlock.pushBundle(table, ruleBundle(table, steps), { stateless });
      return { name, run: () => airlock.create(table) };
    };
    await airlock.defineTable('bench_floor');
    await using nats = await openNatsFloor(servers.natsUrl);
    await using insert = openInsertFloor(databaseUrl, 'bench_floor');
    const none = await lane('create without a step', 'bench_none', 0, false);
    const one = await lane('create with one step, prepared isolate', 'bench_one', 1, false);
    const reused = await lane('create with one step, reused isolate', 'bench_reused', 1, true);
    const three = await lane('create with three steps of one stage, prepared isolates', 'bench_three', 3, false);
    const result = await interleave([nats, insert, none, one, reused, three], { warmUps: 400, rounds: 30, block: 6, pauseMs: 25 });
    const overhead = (step: typeof one) => result.median((medianMs) => (medianMs(step) - medianMs(none)) / medianMs(nats));
    const overInsert = (step: typeof one) => result.median((medianMs) => medianMs(step) / medianMs(insert));
    return {
      measured: result.measured,
      ratios: [
        { name: 'overhead of one sync step, prepared / NATS round trip', ratio: overhead(one), atMost: 2.5 },
        { name: 'overhead of one sync step, reused / NATS round trip', ratio: overhead(reused), atMost: 2 },
        { name: 'create with one step / bare transaction', ratio: overInsert(one), atMost: 2.5 },
        { name: 'create with three steps / bare transaction', ratio: overInsert(three), atMost: 3.5 },
      ],
    };
  },
};
