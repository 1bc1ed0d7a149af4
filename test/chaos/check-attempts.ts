import type { Check } from './checks.ts';
import type { AppendRow, AttemptRow } from './evidence.ts';
import { jobSteps } from './plug-ins.ts';

const MOST_ATTEMPTS = 4;
const RETRYING_STEPS: ReadonlySet<string> = new Set([jobSteps.retry, jobSteps.append, jobSteps.slow, jobSteps.ledger]);

/** Runs in the order of their first rows; `mixed` when rows of one lie between rows of another. */
function runsOf(rows: readonly AppendRow[]): { readonly runs: readonly string[]; readonly mixed: boolean } {
  const runs: string[] = [];
  let mixed = false;
  for (const { run } of rows) {
    if (run === runs.at(-1)) continue;
    mixed ||= runs.includes(run);
    runs.push(run);
  }
  return { runs: [...new Set(runs)], mixed };
}

function* brokenNumbers(job: string, attempts: readonly AttemptRow[]): Iterable<string> {
  const counted = attempts.filter((each) => each.counted).map(({ attempt }) => attempt);
  if (counted.length > MOST_ATTEMPTS) yield `the job ${job} used ${counted.length} attempts`;
  const numbers = counted.toSorted((a, b) => a - b);
  if (numbers.some((attempt, index) => attempt !== index + 1)) yield `the counted attempts of the job ${job} have the numbers ${numbers.join(', ')}`;
}

/** Attempts: never too many, never two at once, and told the same way in both places. */
export const attemptChecks: readonly Check[] = [
  {
    rule: 'no job has more attempts than allowed',
    *broken({ evidence }) {
      const attempts = Map.groupBy(evidence.attempts, ({ job }) => job);
      for (const [job, rows] of attempts) yield* brokenNumbers(job, rows);
      for (const { id, step, attempt, retrycount } of evidence.jobs) {
        if (attempt > MOST_ATTEMPTS || retrycount >= MOST_ATTEMPTS) yield `the job ${id} of "${step}" is at attempt ${attempt}, retry ${retrycount}`;
      }
    },
  },
  {
    rule: 'each run of a plug-in was an attempt that is kept',
    *broken({ evidence }) {
      const attempts = Map.groupBy(evidence.attempts, ({ job }) => job);
      const kept = new Map(evidence.jobs.map((job) => [job.id, job]));
      for (const [job, rows] of Map.groupBy(evidence.appends, (row) => row.job)) {
        const owner = kept.get(job);
        if (owner === undefined) yield `the job ${job} ran and is not there`;
        const running = owner?.state === 2 ? 1 : 0;
        const known = (attempts.get(job)?.length ?? 0) + running;
        const { runs } = runsOf(rows);
        if (runs.length > known) yield `the job ${job} ran ${runs.length} times, and ${known} attempts are known`;
      }
    },
  },
  {
    rule: 'no two attempts of a job wrote side by side',
    *broken({ evidence }) {
      for (const [job, rows] of Map.groupBy(evidence.appends, (row) => row.job)) {
        if (runsOf(rows).mixed)
          yield `rows of two runs of the job ${job} lie between each other: ${rows.map(({ run, place }) => `${run.slice(0, 4)}/${place}`).join(' ')}`;
      }
    },
  },
  {
    rule: 'no two attempts of a job were in progress at once',
    *broken({ evidence }) {
      for (const [job, rows] of Map.groupBy(evidence.attempts, (row) => row.job)) {
        for (const [index, later] of rows.entries()) {
          const earlier = rows[index - 1];
          if (earlier !== undefined && later.started < earlier.ended) {
            yield `attempt ${later.attempt} of the job ${job} began ${earlier.ended.getTime() - later.started.getTime()} ms before attempt ${earlier.attempt} had ended`;
          }
        }
      }
    },
  },
  {
    rule: 'the trace log and the queue tell the same story',
    *broken({ evidence }) {
      const attempts = new Map(evidence.attempts.map((row) => [row.traceid, row]));
      const ledger = new Set(evidence.ledger.map(({ id }) => id));
      const jobs = new Set(evidence.jobs.map(({ id }) => id));
      for (const { step, mode, job, attempt, traceid, failurekind } of evidence.traces) {
        if (mode !== 1 || job === null || !RETRYING_STEPS.has(step)) continue;
        if (!jobs.has(job)) {
          if (!ledger.has(job)) yield `the trace log knows the job ${job} of "${step}", and the queue does not`;
          continue;
        }
        const found = attempts.get(traceid);
        // Without a row: it still runs, or what it reported came too late and another one took the job over.
        if (found === undefined || found.failurekind === 'platform/worker-lost') continue;
        if (found.attempt !== attempt) yield `the trace log calls attempt ${found.attempt} of the job ${job} number ${attempt ?? '?'}`;
        if (found.failurekind !== failurekind)
          yield `attempt ${found.attempt} of the job ${job} ended with ${found.failurekind}, the trace log says ${failurekind}`;
      }
      const committed = new Set(evidence.details.map(({ correlation }) => correlation));
      for (const { mode, step, correlation, failurekind } of evidence.traces) {
        if (mode === 0 && failurekind !== null && committed.has(correlation))
          yield `the trace log says that "${step}" failed with ${failurekind} in an operation that committed`;
      }
    },
  },
];
