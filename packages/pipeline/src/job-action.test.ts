import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rejected } from './fixtures.ts';
import type { Attempt } from './ids.ts';
import { actionOfUpdate, decideJobAction, type JobAction, jobRefusals } from './job-action.ts';
import type { JobState } from './system-job.ts';

const attempt = 2 as Attempt;
const states = {
  ready: { status: 'WaitingForResources', attempt },
  retrying: { status: 'Waiting', attempt, why: 'retry', until: 9 },
  postponed: { status: 'Waiting', attempt, why: 'postponed', until: 9 },
  paused: { status: 'Waiting', attempt, why: 'paused' },
  suspended: { status: 'Waiting', attempt, why: 'suspended' },
  running: { status: 'InProgress', attempt },
  pausing: { status: 'Pausing', attempt },
  canceling: { status: 'Canceling', attempt },
  succeeded: { status: 'Succeeded', attempt },
  failed: { status: 'Failed', attempt, failure: rejected(0) },
  canceled: { status: 'Canceled', attempt },
} as const satisfies Record<string, JobState>;
type Name = keyof typeof states;
const names = Object.keys(states) as Name[];

const decide = (name: Name, action: JobAction) => decideJobAction(states[name], action, { platformOwned: false });
/** What every state answers: the next status, or the platform's code. */
const answers = (action: JobAction) =>
  Object.fromEntries(
    names.map((name) => {
      const decision = decide(name, action);
      if (!decision.ok) return [name, jobRefusals[decision.code]];
      return [name, 'deleted' in decision ? 'deleted' : decision.state.status];
    }),
  );

/** The table of dataverse-facts §6.3, one row an action. */
describe('each action in each state', () => {
  test('statement 56: cancel', () => {
    expect(answers({ kind: 'cancel' })).toEqual({
      ready: 'Canceled',
      retrying: 'Canceled',
      postponed: 'Canceled',
      paused: 'Canceled',
      suspended: 'Canceled',
      running: 'Canceling',
      pausing: 'Canceling',
      canceling: 'Canceling',
      succeeded: '0x80044162',
      failed: '0x80044162',
      canceled: '0x80044162',
    });
  });

  test('pause', () => {
    const refused = '0x80044167';
    expect(answers({ kind: 'pause' })).toEqual({
      ...Object.fromEntries(names.map((name) => [name, refused])),
      running: 'Pausing',
      pausing: 'Pausing',
    });
  });

  test('statement 56: resume', () => {
    const refused = '0x80044166';
    const ready = 'WaitingForResources';
    expect(answers({ kind: 'resume' })).toEqual({
      ...Object.fromEntries(names.map((name) => [name, refused])),
      retrying: ready,
      postponed: ready,
      paused: ready,
      suspended: ready,
      pausing: 'InProgress',
    });
  });

  test('retry now', () => {
    const refused = '0x80044166';
    const ready = 'WaitingForResources';
    expect(answers({ kind: 'retry-now' })).toEqual({
      ...Object.fromEntries(names.map((name) => [name, refused])),
      retrying: ready,
      postponed: ready,
    });
  });

  test('statement 57: postpone', () => {
    const refused = '0x80044162';
    expect(answers({ kind: 'postpone', until: 99 })).toEqual({
      ...Object.fromEntries(names.map((name) => [name, refused])),
      ready: 'Waiting',
      retrying: 'Waiting',
      postponed: 'Waiting',
      running: 'Pausing',
      pausing: 'Pausing',
    });
    expect(decide('ready', { kind: 'postpone', until: 99 })).toMatchObject({ state: { why: 'postponed', until: 99 } });
    expect(decide('running', { kind: 'postpone', until: 99 })).toMatchObject({ state: { until: 99 } });
  });

  test('delete', () => {
    const refused = '0x8004416a';
    const deleted = 'deleted';
    expect(answers({ kind: 'delete' })).toEqual({
      ...Object.fromEntries(names.map((name) => [name, refused])),
      succeeded: deleted,
      failed: deleted,
      canceled: deleted,
    });
  });
});

test.for([
  ['cancel', '0x80044f00'],
  ['pause', '0x80044f01'],
  ['resume', '0x80044166'],
] as const)('%s is refused for a job of the platform with %s', ([kind, code]) => {
  const decision = decideJobAction(states.running, { kind }, { platformOwned: true });
  expect(decision.ok ? 'allowed' : jobRefusals[decision.code]).toBe(code);
});

test('no action changes the number of the attempt or leaves a completed state', () =>
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.oneof(
        fc.constantFrom('cancel', 'pause', 'resume', 'retry-now', 'delete').map((kind) => ({ kind }) as const),
        fc.nat().map((until) => ({ kind: 'postpone', until }) as const),
      ),
      (name, action) => {
        const decision = decide(name, action);
        if (!decision.ok || 'deleted' in decision) return;
        expect(decision.state.attempt).toBe(attempt);
        expect(['succeeded', 'failed', 'canceled']).not.toContain(name);
      },
    ),
  ));

test.for([
  [{ statecode: 3 }, { kind: 'cancel' }],
  [{ statecode: 3, statuscode: 32 }, { kind: 'cancel' }],
  [{ statuscode: 22 }, { kind: 'cancel' }],
  [{ statecode: 1 }, { kind: 'pause' }],
  [{ statecode: 2, statuscode: 21 }, { kind: 'pause' }],
  [{ statecode: 0, statuscode: 0 }, { kind: 'resume' }],
  [{ postponeUntil: 99 }, { kind: 'postpone', until: 99 }],
  [
    { statecode: 0, postponeUntil: 99 },
    { kind: 'postpone', until: 99 },
  ],
  [
    { statecode: 1, statuscode: 10, postponeUntil: 99 },
    { kind: 'postpone', until: 99 },
  ],
  [{ postponeUntil: null }, { kind: 'retry-now' }],
  [{ statecode: 0, postponeUntil: null }, { kind: 'resume' }],
  [{ statecode: 3, postponeUntil: 99 }, { kind: 'cancel' }],
  [{ statecode: 3, statuscode: 30 }, undefined],
  [{ statecode: 2, statuscode: 20 }, undefined],
  [{ statecode: 0, statuscode: 32 }, undefined],
  [{ statecode: 7, postponeUntil: 99 }, undefined],
  [{}, undefined],
] as const)('an update with %o means %o', ([update, action]) => {
  expect(actionOfUpdate(update)).toEqual(action);
});
