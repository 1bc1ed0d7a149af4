import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classify } from './classify.ts';
import { guestError, quiet, rejection } from './fixtures.ts';
import { defaultSyncLimits as limits } from './limits.ts';
import type { RunObservation } from './observation.ts';

const seen = (changes: Partial<RunObservation>) => classify({ ...quiet, ...changes }, limits);

test('a run in which nothing happened succeeded', () => {
  expect(seen({})).toBeUndefined();
});

/** Strongest first: each row must win over everything below it. */
const rows = [
  [{ shuttingDown: true }, { origin: 'platform', kind: 'shutting-down' }],
  [{ bundleUnavailable: 'not found' }, { origin: 'platform', kind: 'bundle-unavailable', detail: 'not found' }],
  [{ throttled: 'killed 5 children' }, { origin: 'platform', kind: 'throttled', detail: 'killed 5 children' }],
  [{ deadlineFired: true }, { origin: 'sandbox', kind: 'deadline', limitMs: limits.wallMs }],
  [{ cpuLimitFired: true }, { origin: 'sandbox', kind: 'cpu', limitMs: limits.cpuMs }],
  [{ residentLimitFired: true }, { origin: 'sandbox', kind: 'memory', what: 'resident', limitBytes: limits.residentBytes }],
  [{ heapExhausted: true }, { origin: 'sandbox', kind: 'memory', what: 'heap', limitBytes: limits.heapBytes }],
  [{ hostCallLimitFired: true }, { origin: 'sandbox', kind: 'host-calls', limit: limits.hostCalls }],
  [{ childDied: true }, { origin: 'sandbox', kind: 'crash' }],
  [{ protocolViolation: 'two ends' }, { origin: 'sandbox', kind: 'protocol', detail: 'two ends' }],
  [{ thrown: { error: guestError } }, { origin: 'plug-in', kind: 'unexpected', error: guestError }],
] as const satisfies readonly (readonly [Partial<RunObservation>, unknown])[];

describe('what was measured', () => {
  test.for(rows)('%o alone', ([changes, failure]) => {
    expect(seen(changes)).toEqual(failure);
  });

  test.for(rows.map(([, failure], at) => [failure, at] as const))('%o wins over everything weaker', ([failure, at]) => {
    const together: Partial<RunObservation> = Object.assign({}, ...rows.slice(at).map(([changes]) => changes));
    expect(seen(together)).toEqual(failure);
  });
});

describe("the guest's own account", () => {
  test('a genuine rejection is a rejection', () => {
    expect(seen({ thrown: { error: guestError, rejection: rejection() } })).toEqual({
      origin: 'plug-in',
      kind: 'rejected',
      rejection: rejection(),
      error: guestError,
    });
  });

  test('a thrown value that could not be described is a broken protocol', () => {
    expect(seen({ thrown: 'unreadable' })).toMatchObject({ origin: 'sandbox', kind: 'protocol' });
  });

  test.for([
    ['a forged memory message', 'Error', 'Isolate was disposed during execution due to memory limit'],
    ['a forged time-out', 'Error', 'Script execution timed out.'],
    ['a forged RangeError', 'RangeError', 'Array buffer allocation failed'],
    ['a forged rejection', 'InvalidPluginExecutionException', 'Not allowed'],
  ] as const)('%s is an unexpected error', ([, name, message]) => {
    expect(seen({ thrown: { error: { name, message, stack: '' } } })?.kind).toBe('unexpected');
  });

  test('no name, message or stack moves the blame away from the plug-in', () =>
    fc.assert(
      fc.property(fc.record({ name: fc.string(), message: fc.string(), stack: fc.string() }), (error) => {
        expect(seen({ thrown: { error } })).toEqual({ origin: 'plug-in', kind: 'unexpected', error });
      }),
    ));
});
