import { setTimeout as sleep } from 'node:timers/promises';
import { startBenchAirlock } from './airlock-in-process.ts';
import { largeScript } from './bundles.ts';
import type { BenchCase, BenchReport } from './case.ts';
import { medianOf, summarize } from './measure.ts';
import { startWorkerd } from './workerd.ts';

const BYTES = 200 * 1024;
const ROUNDS = 30;
const WARM_UPS = 5;
/** Time between an upload and its first use; without any, the upload's own preparation may still run. Both sides wait. */
const PAUSES_MS = [0, 50] as const;

const asPlugin = (table: string, script: string): string => `${script}
exports.rule = {
  kind: 'airlock.plugin',
  steps: [{ name: 'large', message: 'Create', table: ${JSON.stringify(table)}, stage: 'PreOperation' }],
  execute(context) { context.target.attributes.note = result(context.target.attributes).slice(0, 150); },
};`;

/**
 * The first execution of a bundle that was just uploaded, as a create with everything that belongs to it, beside the first request to
 * a worker of the same code that a running workerd has not loaded before.
 */
export const firstExecution: BenchCase = {
  name: 'first-execution',
  run: async (servers): Promise<BenchReport> => {
    const workerd = await startWorkerd();
    if ('missing' in workerd) return { measured: [], ratios: [], notes: [`not compared with workerd: ${workerd.missing}`] };
    await using peer = workerd;
    const databaseUrl = await servers.database('first_execution');
    await using airlock = await startBenchAirlock({ databaseUrl, natsUrl: servers.natsUrl }, { capacity: 2 });
    await airlock.defineTable('bench_large');
    const ours = new Map<number, number[]>(PAUSES_MS.map((pauseMs) => [pauseMs, []]));
    const theirs: number[] = [];
    for (let round = 0; round < ROUNDS + WARM_UPS; round++) {
      const pauseMs = PAUSES_MS[round % PAUSES_MS.length] ?? 0;
      const script = largeScript(BYTES, `${round}`);
      await airlock.pushBundle('bench_large', asPlugin('bench_large', script));
      await sleep(pauseMs);
      const oursMs = await timed(() => airlock.create('bench_large'));
      await peer.give(script);
      await sleep(pauseMs);
      const theirsMs = await timed(() => peer.request());
      if (round < WARM_UPS) continue;
      ours.get(pauseMs)?.push(oursMs);
      theirs.push(theirsMs);
    }
    const peerMs = medianOf(theirs);
    return {
      measured: [
        ...[...ours].map(([pauseMs, times]) => summarize(`first execution of a 200 KB bundle, ${pauseMs} ms after its upload`, times)),
        summarize('workerd: first request to a worker of the same code', theirs),
      ],
      ratios: [...ours].map(([pauseMs, times]) => ({
        name: `first execution ${pauseMs} ms after the upload / cold isolate of workerd`,
        ratio: medianOf(times) / peerMs,
        atMost: 1,
      })),
    };
  },
};

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
