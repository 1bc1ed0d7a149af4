import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Failure, OperationStatus } from './failure.ts';
import { guestError, rejected } from './fixtures.ts';
import type { Attempt } from './ids.ts';
import { fourAttempts } from './retry-policy.ts';
import { afterFailure, afterSuccess, claimed, type JobState, jobNumbers, queued, type RunningJob, type WaitingJob, whenDue } from './system-job.ts';

const attempt = (n: number) => n as Attempt;
const inProgress = (n: number): RunningJob => ({ status: 'InProgress', attempt: attempt(n) });
const options = { policy: fourAttempts, now: 1_000_000, jitter: 0.5 };
const retry = rejected(2);
const lost: Failure = { origin: 'platform', kind: 'worker-lost', workerId: 'w1' };
const shuttingDown: Failure = { origin: 'platform', kind: 'shutting-down' };
const unexpected: Failure = { origin: 'plug-in', kind: 'unexpected', error: guestError };

/** Runs a job to its end; `outcome` says how each attempt ends. */
function run(outcome: (attempt: number) => Failure | undefined): { readonly attempts: number; readonly end: JobState } {
  let state: JobState = queued();
  for (let attempts = 0; attempts < 20; ) {
    if (state.status === 'Waiting') state = whenDue(state, Number.MAX_SAFE_INTEGER);
    if (state.status !== 'WaitingForResources') return { attempts, end: state };
    const running: RunningJob = claimed(state);
    attempts += 1;
    const failure = outcome(running.attempt);
    state = failure === undefined ? afterSuccess(running) : afterFailure(running, failure, options);
  }
  return { attempts: 20, end: state };
}

test('statement 49: a new job is ready, 0/0', () => {
  expect(queued()).toEqual({ status: 'WaitingForResources', attempt: 1 });
  expect(jobNumbers.WaitingForResources).toEqual({ statecode: 0, statuscode: 0 });
});

test('statement 50: numbers of a running, a succeeded and a failed job', () => {
  expect(jobNumbers[claimed(queued()).status]).toEqual({ statecode: 2, statuscode: 20 });
  expect(jobNumbers[afterSuccess(inProgress(1)).status]).toEqual({ statecode: 3, statuscode: 30 });
  expect(jobNumbers[afterFailure(inProgress(1), unexpected, options).status]).toEqual({ statecode: 3, statuscode: 31 });
});

test('statement 52: a plug-in that asks for a retry each time runs exactly four times, then the job is failed', () => {
  const { attempts, end } = run(() => retry);
  expect(attempts).toBe(4);
  expect(end).toEqual({ status: 'Failed', attempt: 4, failure: retry });
});

test('statement 53: a retry asked for twice and then success is a success at the third attempt', () => {
  expect(run((n) => (n < 3 ? retry : undefined))).toEqual({ attempts: 3, end: { status: 'Succeeded', attempt: 3 } });
});

test('statement 54: between two attempts the job waits, 1/10, until a time', () => {
  const next = afterFailure(inProgress(1), retry, options);
  expect(next).toEqual({ status: 'Waiting', attempt: 2, why: 'retry', until: 1_010_000 });
  expect(jobNumbers[next.status]).toEqual({ statecode: 1, statuscode: 10 });
});

test.for<Failure>([
  rejected(0),
  unexpected,
  { origin: 'sandbox', kind: 'deadline', limitMs: 1 },
  { origin: 'sandbox', kind: 'memory', what: 'heap', limitBytes: 1 },
  { origin: 'sandbox', kind: 'crash' },
  { origin: 'sandbox', kind: 'protocol', detail: '' },
])('statement 55: %o is not retried', (failure) => {
  expect(run(() => failure)).toEqual({ attempts: 1, end: { status: 'Failed', attempt: 1, failure } });
});

test('statement 57: a job that waits for a time is not ready before it', () => {
  const postponed: WaitingJob = { status: 'Waiting', attempt: attempt(1), why: 'postponed', until: 500 };
  expect(whenDue(postponed, 499)).toBe(postponed);
  expect(whenDue(postponed, 500)).toEqual({ status: 'WaitingForResources', attempt: 1 });
});

test.for(['paused', 'suspended'] as const)('a %s job never becomes ready by itself', (why) => {
  const waiting: WaitingJob = { status: 'Waiting', attempt: attempt(1), why };
  expect(whenDue(waiting, Number.MAX_SAFE_INTEGER)).toBe(waiting);
});

test('a retry-after that the plug-in asked for is honoured', () => {
  expect(afterFailure(inProgress(1), rejected(2, 3_000), options)).toMatchObject({ status: 'Waiting', until: 1_003_000 });
});

test.for([
  [1, { status: 'Canceled', attempt: 2 }],
  [3, { status: 'Waiting', attempt: 2, why: 'suspended' }],
  [4, { status: 'Succeeded', attempt: 2 }],
] as const)('a rejection with OperationStatus %i ends as %o', ([status, end]) => {
  expect(afterFailure(inProgress(2), rejected(status satisfies OperationStatus), options)).toEqual(end);
});

describe('attempts', () => {
  test('a plug-in that kills its worker four times is failed, not retried for ever', () => {
    expect(run(() => lost)).toEqual({ attempts: 4, end: { status: 'Failed', attempt: 4, failure: lost } });
  });

  test('a shutdown never uses up an attempt', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), (n) => {
        expect(afterFailure(inProgress(n), shuttingDown, options)).toEqual({ status: 'WaitingForResources', attempt: n });
      }),
    ));

  test('no mixture of counted failures runs a job more than four times', () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom(retry, lost, undefined), { minLength: 4, maxLength: 4 }), (outcomes) => {
        const { attempts, end } = run((n) => outcomes[n - 1]);
        expect(attempts).toBeLessThanOrEqual(4);
        expect(end.status).toBe(outcomes.includes(undefined) ? 'Succeeded' : 'Failed');
      }),
    ));
});

describe('an attempt that ends while its job is', () => {
  const canceling: RunningJob = { status: 'Canceling', attempt: attempt(2) };
  const pausing: RunningJob = { status: 'Pausing', attempt: attempt(2) };

  test.for([retry, lost, shuttingDown, unexpected])('cancelled is Canceled after %o', (failure) => {
    expect(afterFailure(canceling, failure, options)).toEqual({ status: 'Canceled', attempt: 2 });
  });

  test('cancelled or paused is Succeeded if it succeeded: what it wrote is there', () => {
    expect(afterSuccess(canceling).status).toBe('Succeeded');
    expect(afterSuccess(pausing).status).toBe('Succeeded');
  });

  test('paused waits for its user if it needs another attempt', () => {
    expect(afterFailure(pausing, retry, options)).toEqual({ status: 'Waiting', attempt: 3, why: 'paused' });
    expect(afterFailure(pausing, shuttingDown, options)).toEqual({ status: 'Waiting', attempt: 2, why: 'paused' });
  });

  test('postponed waits for that time if it needs another attempt', () => {
    expect(afterFailure({ ...pausing, until: 7 }, retry, options)).toEqual({ status: 'Waiting', attempt: 3, why: 'postponed', until: 7 });
  });

  test('paused is over if it failed for good', () => {
    expect(afterFailure(pausing, unexpected, options).status).toBe('Failed');
  });
});
