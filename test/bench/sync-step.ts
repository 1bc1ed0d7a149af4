import { startBenchAirlock } from './airlock-in-process.ts';
import type { BenchCase, BenchReport } from './case.ts';
import { measure } from './measure.ts';

/** One plug-in type with `steps` steps on the Create of `table`, each doing what a small business rule does. */
function bundle(table: string, steps: number): string {
  const declared = Array.from({ length: steps }, (_, index) => ({ name: `${table} ${index}`, message: 'Create', table, stage: 'PreOperation', rank: index }));
  return `exports.rule = { kind: 'airlock.plugin', steps: ${JSON.stringify(declared)}, execute(context) { context.target.attributes.note = 'checked ' + context.target.attributes.name; } };`;
}

const RUNS = { warmUps: 300, runs: 1_500 };

/** The cost of synchronous steps, as `design.md` states it: over bare NATS round trips and over a bare transaction with the same insert. */
export const syncStep: BenchCase = {
  name: 'sync-step',
  run: async (servers, floors): Promise<BenchReport> => {
    await using airlock = await startBenchAirlock(servers, { capacity: 2 });
    const setUp = async (table: string, steps: number, stateless: boolean): Promise<void> => {
      await airlock.defineTable(table);
      if (steps > 0) await airlock.pushBundle(table, bundle(table, steps), { stateless });
    };
    await setUp('bench_none', 0, false);
    await setUp('bench_one', 1, false);
    await setUp('bench_three', 3, false);
    await setUp('bench_reused', 1, true);
    const none = await measure('create without a step', RUNS, () => airlock.create('bench_none'));
    const one = await measure('create with one step, prepared isolate', RUNS, () => airlock.create('bench_one'));
    const reused = await measure('create with one step, reused isolate', RUNS, () => airlock.create('bench_reused'));
    const three = await measure('create with three steps of one stage, prepared isolates', RUNS, () => airlock.create('bench_three'));
    const roundTrip = floors.natsRoundTrip.medianMs;
    const transaction = floors.postgresTransaction.medianMs;
    return {
      measured: [none, one, reused, three],
      ratios: [
        { name: 'overhead of one sync step, prepared / NATS round trip', ratio: (one.medianMs - none.medianMs) / roundTrip, atMost: 2.5 },
        { name: 'overhead of one sync step, reused / NATS round trip', ratio: (reused.medianMs - none.medianMs) / roundTrip, atMost: 2 },
        { name: 'create with one step / bare transaction', ratio: one.medianMs / transaction, atMost: 2.5 },
        { name: 'create with three steps / bare transaction', ratio: three.medianMs / transaction, atMost: 3.5 },
      ],
    };
  },
};
