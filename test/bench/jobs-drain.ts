import type { BenchCase, BenchReport } from './case.ts';
import { type BenchJobs, startBenchJobs, withJobTable } from './jobs-airlock.ts';
import { type JobsPeer, openJobsPeer } from './jobs-peer.ts';
import { interleave, type Lane } from './measure.ts';

const JOBS = 10_000;
/** Each needs an isolate of its own: fewer, and compared by the job. */
const FRESH_JOBS = 2_000;

/** One run is the draining of `count` jobs that were queued before; queueing them is not timed. */
function drainOf(jobs: BenchJobs, name: string, table: string, count: number): Lane {
  return {
    name,
    run: async () => {
      await jobs.enqueue(table, count);
      await jobs.drained();
    },
  };
}

function drainOfPeer(peer: JobsPeer, count: number): Lane {
  return {
    name: `graphile-worker, defaults: drain ${count} no-ops in process`,
    run: async () => {
      const done = peer.completed(count);
      await peer.enqueue(count);
      await peer.start();
      await done;
      await peer.stop();
    },
  };
}

/** Queues that are full, from the moment in which the jobs are committed to the end of the last one. */
export const drainJobs: BenchCase = {
  name: 'jobs-drain',
  run: async (servers): Promise<BenchReport> => {
    await using jobs = await startBenchJobs(servers, 'jobs_drain');
    await using peer = await openJobsPeer(await servers.database('jobs_drain_peer'));
    await withJobTable(jobs, 'bench_reused_job', { stateless: true });
    await withJobTable(jobs, 'bench_fresh_job', { stateless: false });
    const reused = drainOf(jobs, `drain ${JOBS} jobs, reused isolates`, 'bench_reused_job', JOBS);
    const fresh = drainOf(jobs, `drain ${FRESH_JOBS} jobs, a fresh isolate for each`, 'bench_fresh_job', FRESH_JOBS);
    const graphile = drainOfPeer(peer, JOBS);
    const result = await interleave([graphile, reused, fresh], { warmUps: 0, rounds: 2, block: 1, pauseMs: 500 });
    const over = (lane: Lane, count: number) => result.median((medianMs) => medianMs(lane) / count / (medianMs(graphile) / JOBS));
    return {
      measured: result.measured,
      ratios: [
        // At least three times its rate, and at least 0.4 of it.
        { name: 'time to drain, reused isolates / graphile-worker', ratio: over(reused, JOBS), atMost: 1 / 3 },
        { name: 'time to drain, fresh isolates / graphile-worker', ratio: over(fresh, FRESH_JOBS), atMost: 1 / 0.4 },
      ],
    };
  },
};
