import { type Attempt, fourAttempts, type JobState } from '@airlock/pipeline';
import { expect, test } from 'vitest';
import { type WaitingFacts, whyWaiting } from './why-waiting.ts';

const second = 2 as Attempt;
const ready: JobState = { status: 'WaitingForResources', attempt: second };
const facts = (changes: Partial<WaitingFacts> = {}): WaitingFacts => ({
  state: ready,
  nowMs: 1_000,
  policy: fourAttempts,
  pool: 'default',
  changedBy: 'Ada',
  changedOn: '2026-01-31T12:00:00.000Z',
  ahead: undefined,
  step: { older: 3, olderIsMore: false, running: 0, limit: undefined },
  workers: { count: 2, draining: 0, slots: 4 },
  running: 1,
  ...changes,
});

test.for([
  ['no worker', { workers: { count: 0, draining: 0, slots: 0 } }, 'no-worker', 'The pool "default" has no worker.'],
  ['workers that all drain', { workers: { count: 2, draining: 2, slots: 0 } }, 'no-worker', 'All 2 workers of the pool "default" are shutting down.'],
  ['busy slots', { running: 4 }, 'busy', 'All 4 slots of the pool "default" are busy; 3 jobs of its step are before it.'],
  [
    'a limit of the step',
    { step: { older: 1_000, olderIsMore: true, running: 2, limit: 2 } },
    'step-limit',
    'Its step runs 2 jobs, and may run 2 at once; more than 1000 jobs of the step are before it.',
  ],
  [
    'another job of its key',
    { ahead: { id: 'j1', state: 'InProgress', count: 2 } },
    'ordering-key',
    'Behind job j1 of the same ordering key, which is InProgress (2 before it).',
  ],
  ['nothing but its turn', {}, 'next', 'It starts with one of the next claims; 3 jobs of its step are before it.'],
  [
    'the next attempt',
    { state: { status: 'Waiting', attempt: second, why: 'retry', until: 3_500 } },
    'retry',
    'Attempt 2 of 4 begins in 2.5 s (1970-01-01T00:00:03.500Z), because the one before it ended without a result.',
  ],
  [
    'a postponement',
    { state: { status: 'Waiting', attempt: second, why: 'postponed', until: 61_000 } },
    'postponed',
    'Postponed until 1970-01-01T00:01:01.000Z by Ada, 60 s from now.',
  ],
  [
    'a pause',
    { state: { status: 'Waiting', attempt: second, why: 'paused' } },
    'paused',
    'Paused by Ada on 2026-01-31T12:00:00.000Z; it goes on when somebody resumes it.',
  ],
  [
    'its own plug-in',
    { state: { status: 'Waiting', attempt: second, why: 'suspended' } },
    'suspended',
    'Its plug-in suspended it on 2026-01-31T12:00:00.000Z; attempt 2 begins when somebody resumes it.',
  ],
] as const)('a job that waits for %s says so', ([, changes, why, sentence]) => {
  expect(whyWaiting(facts(changes))).toMatchObject({ why, sentence });
});

test('a job that runs or is completed waits for nothing', () => {
  expect(whyWaiting(facts({ state: { status: 'InProgress', attempt: second } }))).toBeUndefined();
  expect(whyWaiting(facts({ state: { status: 'Succeeded', attempt: second } }))).toBeUndefined();
});
