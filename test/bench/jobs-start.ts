import type { Dispatcher } from '@airlock/dispatcher/dispatcher';
import { z } from 'zod';
import type { BenchCase, BenchReport } from './case.ts';
import { startBenchJobs, withJobTable } from './jobs-airlock.ts';
import { openJobsPeer } from './jobs-peer.ts';
import { interleave, type Lane } from './measure.ts';

/** A lane whose runs say themselves how long they took. */
function timedBy(name: string, work: () => Promise<number>): Lane & { readonly takenMs: number[] } {
  const takenMs: number[] = [];
  return { name, takenMs, run: async () => void takenMs.push(await work()) };
}

const medianOf = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const Ran = z.object({ reply: z.object({ outcomes: z.array(z.object({ receipt: z.object({ wallMs: z.number() }) })).min(1) }) });
const wallMsOf = (end: unknown): number => Ran.parse(end).reply.outcomes[0]?.receipt.wallMs ?? 0;

/**
 * An idle queue, one job at a time. The guest has no clock that could say when it started: ours is timed from the commit until
 * the outcome is back, less what the worker says that the execution took, so the outcome's way back counts as ours. The peer's
 * is from before the enqueue until its task is called.
 */
export const startJob: BenchCase = {
  name: 'jobs-start',
  run: async (servers): Promise<BenchReport> => {
    await using jobs = await startBenchJobs(servers, 'jobs_start');
    await using peer = await openJobsPeer(await servers.database('jobs_start_peer'));
    await withJobTable(jobs, 'bench_job', { stateless: true });
    await peer.start();
    const operations = jobs.airlock.dispatcher.operations as {
      jobsQueued: Dispatcher['operations']['jobsQueued'];
      bus: { run: (...args: never[]) => Promise<unknown> };
    };
    let committedAt = 0;
    let back: ((atMs: number) => void) | undefined;
    const { jobsQueued } = operations;
    operations.jobsQueued = (kind) => {
      committedAt = performance.now();
      jobsQueued(kind);
    };
    const run = operations.bus.run.bind(operations.bus);
    operations.bus.run = async (...args) => {
      const end = await run(...args);
      back?.(performance.now() - wallMsOf(end));
      return end;
    };
    const ours = timedBy('commit to start of the job (with the way back of its outcome)', async () => {
      const ended = new Promise<number>((resolve) => {
        back = resolve;
      });
      await jobs.airlock.create('bench_job');
      const taken = (await ended) - committedAt;
      await jobs.drained();
      return taken;
    });
    const graphile = timedBy('graphile-worker, defaults: enqueue to start', async () => {
      const done = peer.completed(1);
      const started = new Promise<number>((resolve) => {
        peer.onStart = () => resolve(performance.now());
      });
      const enqueuedAt = performance.now();
      await peer.enqueueOne();
      const taken = (await started) - enqueuedAt;
      await done;
      return taken;
    });
    await interleave([graphile, ours], { warmUps: 100, rounds: 20, block: 10, pauseMs: 10 });
    const lanes = [graphile, ours].map(({ name, takenMs }) => ({ name, times: takenMs.slice(100) }));
    return {
      measured: lanes.map(({ name, times }) => ({
        name,
        medianMs: medianOf(times),
        p95Ms: times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? Number.NaN,
        runs: times.length,
      })),
      ratios: [
        {
          name: "median of commit to start / graphile-worker's enqueue to start",
          ratio: medianOf(ours.takenMs.slice(100)) / medianOf(graphile.takenMs.slice(100)),
          atMost: 1,
        },
      ],
    };
  },
};
