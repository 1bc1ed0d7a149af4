import type { JobState } from './system-job.ts';

/** What users may do with system jobs, from which state, and with which code it is refused (dataverse-facts §4.4, §6.3). */
export type JobAction =
  | { readonly kind: 'cancel' | 'pause' | 'resume' | 'retry-now' | 'delete' }
  /** `until`: milliseconds since 1970. */
  | { readonly kind: 'postpone'; readonly until: number };

/** The columns of an `asyncoperation` that a user may write; everything else about a job is the platform's. */
export interface JobUpdate {
  readonly statecode?: number;
  readonly statuscode?: number;
  /** Milliseconds since 1970; `null` takes the postponement away. */
  readonly postponeUntil?: number | null;
}

/** Users act on jobs by ordinary updates; `undefined`: no action is meant by these values (`JOB_STATE_CHANGE_INVALID`). */
export function actionOfUpdate(update: JobUpdate): JobAction | undefined {
  const { statuscode, postponeUntil } = update;
  const kind = wantedState(update.statecode ?? (statuscode === undefined ? undefined : Math.floor(statuscode / 10)), statuscode);
  const aboutTime = kind === undefined || kind === 'resume' || kind === 'pause';
  if (typeof postponeUntil === 'number' && aboutTime) return { kind: 'postpone', until: postponeUntil };
  if (kind === undefined) return postponeUntil === null ? { kind: 'retry-now' } : undefined;
  return kind === 'invalid' ? undefined : { kind };
}

function wantedState(statecode: number | undefined, statuscode: number | undefined): 'cancel' | 'pause' | 'resume' | 'invalid' | undefined {
  if (statecode === undefined) return undefined;
  const wanted = `${statecode}/${statuscode ?? ''}`;
  if (wanted === '0/' || wanted === '0/0') return 'resume';
  if (wanted === '1/' || wanted === '1/10' || wanted === '2/21') return 'pause';
  return wanted === '3/' || wanted === '3/32' || wanted === '2/22' ? 'cancel' : 'invalid';
}

export const jobRefusals = {
  JOB_STATE_CHANGE_INVALID: '0x80044162',
  JOB_NOT_TO_READY: '0x80044166',
  JOB_NOT_TO_SUSPENDED: '0x80044167',
  JOB_NOT_COMPLETED: '0x8004416a',
  JOB_CANNOT_CANCEL: '0x80044f00',
  JOB_CANNOT_PAUSE: '0x80044f01',
} as const;
export type JobRefusal = keyof typeof jobRefusals;

export type JobDecision =
  | { readonly ok: true; readonly state: JobState }
  | { readonly ok: true; readonly deleted: true }
  | { readonly ok: false; readonly code: JobRefusal };

export interface JobOwnership {
  /** The platform's own jobs cannot be cancelled, paused or resumed. */
  readonly platformOwned: boolean;
}

const to = (state: JobState): JobDecision => ({ ok: true, state });
const refuse = (code: JobRefusal): JobDecision => ({ ok: false, code });

export function decideJobAction(job: JobState, action: JobAction, { platformOwned }: JobOwnership): JobDecision {
  switch (action.kind) {
    case 'cancel':
      return platformOwned ? refuse('JOB_CANNOT_CANCEL') : cancel(job);
    case 'pause':
      return platformOwned ? refuse('JOB_CANNOT_PAUSE') : pause(job);
    case 'resume':
      return platformOwned ? refuse('JOB_NOT_TO_READY') : resume(job);
    case 'retry-now':
      return retryNow(job);
    case 'postpone':
      return postpone(job, action.until);
    case 'delete':
      return isCompleted(job) ? { ok: true, deleted: true } : refuse('JOB_NOT_COMPLETED');
    default:
      return action satisfies never;
  }
}

function isCompleted({ status }: JobState): boolean {
  return status === 'Succeeded' || status === 'Failed' || status === 'Canceled';
}

/** A job that runs is told to stop, and is Canceled when its worker has answered or its lease is over. */
function cancel(job: JobState): JobDecision {
  const { attempt } = job;
  switch (job.status) {
    case 'WaitingForResources':
    case 'Waiting':
      return to({ status: 'Canceled', attempt });
    case 'InProgress':
    case 'Pausing':
    case 'Canceling':
      return to({ status: 'Canceling', attempt });
    case 'Succeeded':
    case 'Failed':
    case 'Canceled':
      return refuse('JOB_STATE_CHANGE_INVALID');
    default:
      return job satisfies never;
  }
}

/** The attempt that runs is not stopped: a plug-in cannot be continued in the middle. The job waits if it needs another. */
function pause(job: JobState): JobDecision {
  const running = job.status === 'InProgress' || job.status === 'Pausing';
  return running ? to({ status: 'Pausing', attempt: job.attempt }) : refuse('JOB_NOT_TO_SUSPENDED');
}

function resume(job: JobState): JobDecision {
  if (job.status === 'Waiting') return to({ status: 'WaitingForResources', attempt: job.attempt });
  return job.status === 'Pausing' ? to({ status: 'InProgress', attempt: job.attempt }) : refuse('JOB_NOT_TO_READY');
}

/** Only of a job that waits for a time; one that waits for its user is resumed, and a failed one is final. */
function retryNow(job: JobState): JobDecision {
  const timed = job.status === 'Waiting' && (job.why === 'retry' || job.why === 'postponed');
  return timed ? to({ status: 'WaitingForResources', attempt: job.attempt }) : refuse('JOB_NOT_TO_READY');
}

function postpone(job: JobState, until: number): JobDecision {
  const { status, attempt } = job;
  if (status === 'InProgress' || status === 'Pausing') return to({ status: 'Pausing', attempt, until });
  const timed = status === 'WaitingForResources' || (status === 'Waiting' && (job.why === 'retry' || job.why === 'postponed'));
  return timed ? to({ status: 'Waiting', attempt, why: 'postponed', until }) : refuse('JOB_STATE_CHANGE_INVALID');
}
