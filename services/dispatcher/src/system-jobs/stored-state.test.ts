import { type Attempt, type JobState, jobNumbers } from '@airlock/pipeline';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rowOfState, stateOfRow } from './stored-state.ts';

const attempt = fc.integer({ min: 1, max: 4 }).map((number) => number as Attempt);
const until = fc.integer({ min: 0, max: 4_000_000_000_000 });
const states: fc.Arbitrary<JobState> = fc.oneof(
  fc.record({ status: fc.constant('WaitingForResources' as const), attempt }),
  fc.record({ status: fc.constant('Waiting' as const), attempt, why: fc.constantFrom('retry' as const, 'postponed' as const), until }),
  fc.record({ status: fc.constant('Waiting' as const), attempt, why: fc.constantFrom('paused' as const, 'suspended' as const) }),
  fc.record({ status: fc.constantFrom('InProgress' as const, 'Canceling' as const, 'Pausing' as const), attempt }),
  fc.record({ status: fc.constant('Pausing' as const), attempt, until }),
  fc.record({ status: fc.constantFrom('Succeeded' as const, 'Canceled' as const), attempt }),
  fc.record({ status: fc.constant('Failed' as const), attempt, failure: fc.constant(undefined) }),
);
const running: JobState = { status: 'InProgress', attempt: 1 as Attempt };

test('a state that is written is the state that is read', () => {
  fc.assert(
    fc.property(states, (state) => {
      expect(stateOfRow(rowOfState(state, running))).toEqual(state);
    }),
  );
});

test('the numbers are those of the platform, and retries are the tries beyond the first', () => {
  fc.assert(
    fc.property(states, (state) => {
      const row = rowOfState(state, running);
      expect(row).toMatchObject(jobNumbers[state.status]);
      expect(row.retrycount).toBe(state.attempt - 1);
    }),
  );
});

test('a job that is cancelled before it ever ran has had no attempt', () => {
  const before: JobState = { status: 'WaitingForResources', attempt: 1 as Attempt };
  expect(rowOfState({ status: 'Canceled', attempt: 1 as Attempt }, before)).toMatchObject({ attempt: 0, retrycount: 0 });
});
