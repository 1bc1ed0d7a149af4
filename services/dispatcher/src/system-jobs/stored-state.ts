import { type Attempt, type JobState, jobNumbers } from '@airlock/pipeline';
import { z } from 'zod';

/** The columns of `asyncoperation` in which a job's state is kept. */
export const StoredState = z.object({
  statecode: z.number(),
  statuscode: z.number(),
  /** Number of the try that runs or ran last; 0 before the first. */
  attempt: z.number(),
  postponeuntil: z.string().nullable(),
  waitingfor: z.string().nullable(),
});
export type StoredState = z.output<typeof StoredState>;

export function stateOfRow({ statuscode, attempt: stored, postponeuntil, waitingfor }: StoredState): JobState {
  const next = (stored + 1) as Attempt; // from 1: the column starts at 0
  const attempt = Math.max(1, stored) as Attempt;
  switch (statuscode) {
    case jobNumbers.WaitingForResources.statuscode:
      return { status: 'WaitingForResources', attempt: next };
    case jobNumbers.Waiting.statuscode:
      return waiting(next, waitingfor, postponeuntil);
    case jobNumbers.InProgress.statuscode:
      return { status: 'InProgress', attempt };
    case jobNumbers.Pausing.statuscode:
      return waitingfor === 'postponed' && postponeuntil !== null
        ? { status: 'Pausing', attempt, until: Date.parse(postponeuntil) }
        : { status: 'Pausing', attempt };
    case jobNumbers.Canceling.statuscode:
      return { status: 'Canceling', attempt };
    case jobNumbers.Succeeded.statuscode:
      return { status: 'Succeeded', attempt };
    case jobNumbers.Canceled.statuscode:
      return { status: 'Canceled', attempt };
    case jobNumbers.Failed.statuscode:
      return { status: 'Failed', attempt, failure: undefined };
    default:
      throw new Error(`a system job has the unknown statuscode ${statuscode}`);
  }
}

function waiting(attempt: Attempt, waitingfor: string | null, until: string | null): JobState {
  if ((waitingfor === 'retry' || waitingfor === 'postponed') && until !== null) {
    return { status: 'Waiting', attempt, why: waitingfor, until: Date.parse(until) };
  }
  return { status: 'Waiting', attempt, why: waitingfor === 'suspended' ? 'suspended' : 'paused' };
}

export interface StateColumns extends StoredState {
  /** Tries beyond the first, the coming one included. */
  readonly retrycount: number;
}

/** `before` tells a job that was cancelled before its next try from one whose try was. */
export function rowOfState(state: JobState, before: JobState): StateColumns {
  const waits = state.status === 'WaitingForResources' || state.status === 'Waiting';
  const never = !waits && (before.status === 'WaitingForResources' || before.status === 'Waiting');
  const attempt = waits || never ? state.attempt - 1 : state.attempt;
  const until = untilOf(state);
  return {
    ...jobNumbers[state.status],
    attempt,
    retrycount: Math.max(0, (never ? attempt : state.attempt) - 1),
    postponeuntil: until === undefined ? null : new Date(until).toISOString(),
    waitingfor: waitingFor(state),
  };
}

function untilOf(state: JobState): number | undefined {
  return 'until' in state ? state.until : undefined;
}

function waitingFor(state: JobState): string | null {
  if (state.status === 'Waiting') return state.why;
  return state.status === 'Pausing' ? (state.until === undefined ? 'paused' : 'postponed') : null;
}
