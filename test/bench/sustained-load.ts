import { setTimeout as sleep } from 'node:timers/promises';
import { startBenchAirlock } from './airlock-in-process.ts';
import { ruleBundle } from './bundles.ts';
import type { BenchCase, BenchReport } from './case.ts';
import { medianOf, summarize } from './measure.ts';
import { residentBytesOfTree } from './process-tree.ts';

const CLIENTS = 64;
const CHILDREN = 4;
const SECONDS = 60;
/** Children start, compilers and caches fill: what the memory is compared to comes after it. */
const SETTLE_SECONDS = 15;
const WINDOW = 10;

/** 64 clients that ask again as soon as they are answered, for a minute, on a worker with four children: no error, flat memory. */
export const sustainedLoad: BenchCase = {
  name: 'sustained-load',
  run: async (servers): Promise<BenchReport> => {
    const databaseUrl = await servers.database('sustained_load');
    await using airlock = await startBenchAirlock({ databaseUrl, natsUrl: servers.natsUrl }, { capacity: CHILDREN });
    await airlock.defineTable('bench_load');
    await airlock.pushBundle('bench_load', ruleBundle('bench_load', 1));
    const times: number[] = [];
    const errors = new Map<string, number>();
    const until = performance.now() + SECONDS * 1_000;
    const client = async (): Promise<void> => {
      while (performance.now() < until) {
        const startedAt = performance.now();
        try {
          await airlock.create('bench_load');
          times.push(performance.now() - startedAt);
        } catch (error) {
          const text = error instanceof Error ? error.message : 'no error object';
          errors.set(text, (errors.get(text) ?? 0) + 1);
        }
      }
    };
    const resident: number[] = [];
    const watch = async (): Promise<void> => {
      for (let second = 0; second < SECONDS; second++) {
        await sleep(1_000);
        resident.push(await residentBytesOfTree(airlock.workerPid));
      }
    };
    await Promise.all([watch(), ...Array.from({ length: CLIENTS }, client)]);
    const steady = resident.slice(SETTLE_SECONDS);
    const before = medianOf(steady.slice(0, WINDOW));
    const after = medianOf(steady.slice(-WINDOW));
    const failed = [...errors.values()].reduce((sum, count) => sum + count, 0);
    return {
      measured: [summarize(`create with one step, ${CLIENTS} clients, ${CHILDREN} children`, times)],
      ratios: [
        { name: `errors among ${times.length + failed} operations of ${SECONDS} s`, ratio: failed, atMost: 0 },
        { name: `memory of the worker's processes, last / first ${WINDOW} s after ${SETTLE_SECONDS} s`, ratio: after / before, atMost: 1.1 },
      ],
      notes: [
        `${Math.round(times.length / SECONDS)} operations a second; memory ${megabytes(before)} → ${megabytes(after)}, most ${megabytes(Math.max(...resident))}`,
        ...[...errors].map(([text, count]) => `${count} × ${text}`),
      ],
    };
  },
};

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MB`;
