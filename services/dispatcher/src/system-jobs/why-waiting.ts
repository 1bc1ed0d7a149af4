import { type JobState, type RetryPolicy } from '@airlock/pipeline';

/** What is known about a job that does not run; gathered by `read-job.ts`. */
export interface WaitingFacts {
  readonly state: JobState;
  readonly nowMs: number;
  readonly policy: RetryPolicy;
  readonly pool: string;
  /** Who changed it last, by name. */
  readonly changedBy: string | undefined;
  readonly changedOn: string;
  /** The oldest unfinished job before it with the same ordering key, and how many there are. */
  readonly ahead: { readonly id: string; readonly state: string; readonly count: number } | undefined;
  /** Of its step: jobs that may start and are older (counted up to a bound), jobs that run, and how many may. */
  readonly step: { readonly older: number; readonly olderIsMore: boolean; readonly running: number; readonly limit: number | undefined };
  readonly workers: { readonly count: number; readonly draining: number; readonly slots: number };
  /** Jobs that run in the pool, over all dispatchers. */
  readonly running: number;
}

export interface WhyWaiting {
  readonly why: string;
  readonly sentence: string;
  readonly numbers: Readonly<Record<string, number | string>>;
}

/** One sentence, first cause first; `undefined`: it runs or is completed. */
export function whyWaiting(facts: WaitingFacts): WhyWaiting | undefined {
  const { state } = facts;
  if (state.status === 'Waiting') return whyPutAside(facts, state);
  return state.status === 'WaitingForResources' ? whyNotStarted(facts) : undefined;
}

function whyPutAside({ nowMs, policy, changedBy, changedOn }: WaitingFacts, state: Extract<JobState, { status: 'Waiting' }>): WhyWaiting {
  switch (state.why) {
    case 'retry': {
      const numbers = { attempt: state.attempt, maxAttempts: policy.maxAttempts, inMs: Math.max(0, state.until - nowMs), until: iso(state.until) };
      return {
        why: 'retry',
        sentence: `Attempt ${state.attempt} of ${policy.maxAttempts} begins in ${seconds(numbers.inMs)} (${numbers.until}), because the one before it ended without a result.`,
        numbers,
      };
    }
    case 'postponed': {
      const numbers = { inMs: Math.max(0, state.until - nowMs), until: iso(state.until) };
      return {
        why: 'postponed',
        sentence: `Postponed until ${numbers.until} by ${changedBy ?? 'a user'}, ${seconds(numbers.inMs)} from now.`,
        numbers,
      };
    }
    case 'paused':
      return { why: 'paused', sentence: `Paused by ${changedBy ?? 'a user'} on ${changedOn}; it goes on when somebody resumes it.`, numbers: {} };
    case 'suspended':
      return {
        why: 'suspended',
        sentence: `Its plug-in suspended it on ${changedOn}; attempt ${state.attempt} begins when somebody resumes it.`,
        numbers: { attempt: state.attempt },
      };
    default:
      return state satisfies never;
  }
}

function whyNotStarted({ pool, ahead, step, workers, running }: WaitingFacts): WhyWaiting {
  const older = `${step.olderIsMore ? 'more than ' : ''}${step.older}`;
  if (ahead !== undefined) {
    const numbers = { ahead: ahead.count, job: ahead.id };
    return {
      why: 'ordering-key',
      sentence: `Behind job ${ahead.id} of the same ordering key, which is ${ahead.state} (${ahead.count} before it).`,
      numbers,
    };
  }
  if (workers.count === 0) return { why: 'no-worker', sentence: `The pool "${pool}" has no worker.`, numbers: { workers: 0 } };
  if (workers.draining === workers.count) {
    return {
      why: 'no-worker',
      sentence: `All ${workers.count} workers of the pool "${pool}" are shutting down.`,
      numbers: { workers: workers.count, draining: workers.draining },
    };
  }
  if (step.limit !== undefined && step.running >= step.limit) {
    return {
      why: 'step-limit',
      sentence: `Its step runs ${step.running} jobs, and may run ${step.limit} at once; ${older} jobs of the step are before it.`,
      numbers: { running: step.running, limit: step.limit, before: step.older },
    };
  }
  const numbers = { slots: workers.slots, running, before: step.older };
  if (running >= workers.slots) {
    return { why: 'busy', sentence: `All ${workers.slots} slots of the pool "${pool}" are busy; ${older} jobs of its step are before it.`, numbers };
  }
  return { why: 'next', sentence: `It starts with one of the next claims; ${older} jobs of its step are before it.`, numbers };
}

const iso = (ms: number) => new Date(ms).toISOString();
const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;
