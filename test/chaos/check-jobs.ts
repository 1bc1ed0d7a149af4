import type { Check } from './checks.ts';
import type { Evidence, JobRow } from './evidence.ts';
import { type JobStep, jobSteps, rowsOfRun } from './plug-ins.ts';

const COMPLETED = 3;
const SUCCEEDED = 30;
const FAILED = 31;

/** How many jobs of each step every correlation id has: those in the table, and those that deleted themselves and left their row. */
function jobsOf({ jobs, ledger }: Evidence): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const found = new Map<string, Map<string, number>>();
  const add = (correlation: string, step: string) => {
    const steps = found.get(correlation) ?? new Map<string, number>();
    steps.set(step, (steps.get(step) ?? 0) + 1);
    found.set(correlation, steps);
  };
  const kept = new Set(jobs.map(({ id }) => id));
  for (const { correlation, step } of jobs) add(correlation, step);
  for (const { id, correlation } of ledger) if (!kept.has(id)) add(correlation, jobSteps.ledger);
  return found;
}

const expectedOf = (operation: string): readonly JobStep[] => (operation === 'Create' ? ['ledger', 'retry', 'append'] : ['slow', 'append']);

/** The reason that a job which is not completed gives; `undefined`: none. */
function reasonOf({ state, waitingfor, postponeuntil }: JobRow): string | undefined {
  if (state !== 1 || waitingfor === null) return undefined;
  if (waitingfor === 'retry' || waitingfor === 'postponed')
    return postponeuntil === null ? undefined : `${waitingfor} until ${postponeuntil.toISOString()}`;
  return waitingfor;
}

/** Each committed operation has its jobs, each job its end. */
export const jobChecks: readonly Check[] = [
  {
    rule: 'a committed operation has exactly its jobs',
    *broken({ evidence }) {
      const jobs = jobsOf(evidence);
      for (const { operation, correlation, token } of evidence.details) {
        const found = jobs.get(correlation) ?? new Map<string, number>();
        const wanted = expectedOf(operation).map((step) => jobSteps[step]);
        for (const step of wanted)
          if (found.get(step) !== 1) yield `the ${operation} ${token} (${correlation}) has ${found.get(step) ?? 0} jobs of "${step}"`;
        for (const step of found.keys())
          if (!wanted.includes(step as (typeof wanted)[number])) yield `the ${operation} ${token} (${correlation}) has a job of "${step}"`;
      }
    },
  },
  {
    rule: 'no job exists or ran for an operation that did not commit',
    *broken({ evidence }) {
      const committed = new Set(evidence.details.map(({ correlation }) => correlation));
      for (const { id, step, correlation } of evidence.jobs)
        if (!committed.has(correlation)) yield `the job ${id} of "${step}" belongs to no committed operation`;
      for (const { job, step, correlation } of evidence.appends)
        if (!committed.has(correlation)) yield `the job ${job} of "${step}" ran for no committed operation`;
      for (const { id, correlation } of evidence.ledger)
        if (!committed.has(correlation)) yield `the job ${id} of the ledger ran for no committed operation`;
    },
  },
  {
    rule: 'each job is completed or says why not',
    *broken({ evidence }) {
      for (const job of evidence.jobs) {
        if (job.state !== COMPLETED && reasonOf(job) === undefined)
          yield `the job ${job.id} of "${job.step}" is in ${job.state}/${job.status} and waits for nothing`;
      }
    },
  },
  {
    rule: 'a job that succeeded has done its work',
    *broken({ evidence }) {
      const runs = Map.groupBy(evidence.appends, ({ job }) => job);
      const wanted = new Map<string, number>(Object.entries(jobSteps).map(([key, name]) => [name, rowsOfRun[key as JobStep]]));
      for (const { id, step, status } of evidence.jobs) {
        if (status !== SUCCEEDED) continue;
        if (step === jobSteps.ledger) yield `the job ${id} of "${step}" succeeded and was not deleted`;
        const most = Math.max(0, ...(runs.get(id) ?? []).map(({ place }) => place));
        if (most < (wanted.get(step) ?? 0)) yield `the job ${id} of "${step}" succeeded after ${most} of ${wanted.get(step) ?? 0} rows`;
      }
    },
  },
  {
    rule: 'a job fails only when its attempts are used up, or its sandbox process was killed',
    *broken({ evidence }) {
      const attempts = Map.groupBy(evidence.attempts, ({ job }) => job);
      for (const { id, step, status, message } of evidence.jobs) {
        if (status !== FAILED) continue;
        const last = attempts.get(id)?.at(-1);
        // The run kills sandbox processes, and nobody can tell who killed one: a plug-in that does is not tried again.
        if (last?.failurekind === 'sandbox/crash') continue;
        const usedUp = last?.attempt === 4 && (last.failurekind === 'plug-in/rejected' || last.failurekind === 'platform/worker-lost');
        if (!usedUp)
          yield `the job ${id} of "${step}" failed at attempt ${last?.attempt ?? '?'} with ${last?.failurekind ?? '?'}: ${message?.slice(-400) ?? ''}`;
      }
    },
  },
];
