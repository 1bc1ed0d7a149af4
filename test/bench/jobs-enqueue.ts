import type { BenchCase, BenchReport } from './case.ts';
import { startBenchJobs, withJobTable } from './jobs-airlock.ts';
import { openJobsPeer } from './jobs-peer.ts';
import { interleave, type Lane } from './measure.ts';

const JOBS = 3_000;
const CALLERS = 16;

/** So many callers, each with one operation at a time, until all are through. */
async function callersOf(count: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

/** Jobs that come one by one, each with a commit of its own, and are processed meanwhile: from the first enqueue to the last end. */
export const enqueueJobs: BenchCase = {
  name: 'jobs-enqueue',
  run: async (servers): Promise<BenchReport> => {
    await using jobs = await startBenchJobs(servers, 'jobs_enqueue');
    await using peer = await openJobsPeer(await servers.database('jobs_enqueue_peer'));
    await withJobTable(jobs, 'bench_job', { stateless: true });
    const ours: Lane = {
      name: `${JOBS} creates with one asynchronous step, ${CALLERS} callers`,
      run: async () => {
        await callersOf(JOBS, () => jobs.airlock.create('bench_job'));
        await jobs.drained();
      },
    };
    const graphile: Lane = {
      name: `graphile-worker, defaults: ${JOBS} single enqueues of a no-op, ${CALLERS} callers`,
      run: async () => {
        const done = peer.completed(JOBS);
        await callersOf(JOBS, () => peer.enqueueOne());
        await done;
      },
    };
    await peer.start();
    const result = await interleave([graphile, ours], { warmUps: 1, rounds: 3, block: 1, pauseMs: 500 });
    return {
      measured: result.measured,
      ratios: [
        {
          name: 'time of sustained single enqueues with processing / graphile-worker',
          ratio: result.median((medianMs) => medianMs(ours) / medianMs(graphile)),
          atMost: 1 / 3,
        },
      ],
    };
  },
};
