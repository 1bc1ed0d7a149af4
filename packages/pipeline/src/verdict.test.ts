import { describe, expect, test } from 'vitest';
import type { Failure } from './failure.ts';
import { guestError, rejected } from './fixtures.ts';
import { Mode } from './mode.ts';
import { verdict } from './verdict.ts';

const noWorker: Failure = { origin: 'platform', kind: 'no-worker', pool: 'default', workers: 0, queued: 3, waitedMs: 5_000 };
const sandbox: readonly Failure[] = [
  { origin: 'sandbox', kind: 'deadline', limitMs: 1 },
  { origin: 'sandbox', kind: 'cpu', limitMs: 1 },
  { origin: 'sandbox', kind: 'memory', what: 'heap', limitBytes: 1 },
  { origin: 'sandbox', kind: 'host-calls', limit: 1 },
  { origin: 'sandbox', kind: 'crash' },
  { origin: 'sandbox', kind: 'protocol', detail: '' },
];
const unexpected: Failure = { origin: 'plug-in', kind: 'unexpected', error: guestError };

/** The rows of design §4: failure, retry of a system job, retriable for a caller, operator log. */
const rows: readonly (readonly [Failure, string, boolean, boolean])[] = [
  [rejected(0), 'no', false, false],
  [rejected(1), 'no', false, false],
  [rejected(2), 'asked', false, false],
  [rejected(3), 'no', false, false],
  [rejected(4), 'no', false, false],
  [unexpected, 'no', false, false],
  ...sandbox.map((failure) => [failure, 'no', false, false] as const),
  [noWorker, 'uncounted', true, true],
  [{ origin: 'platform', kind: 'shutting-down' }, 'uncounted', true, true],
  [{ origin: 'platform', kind: 'throttled', detail: '' }, 'uncounted', true, true],
  [{ origin: 'platform', kind: 'worker-lost', workerId: 'w1' }, 'counted', true, true],
  [{ origin: 'platform', kind: 'bundle-unavailable', detail: '' }, 'counted', false, true],
];

describe.for(rows)('%o', ([failure, retry, retriable, writeOperatorLog]) => {
  const recorded = { retriable, writeOperatorLog, writeTraceLog: true };

  test('statement 37: a synchronous step cancels its operation and rolls it back', () => {
    expect(verdict(failure, { mode: Mode.Synchronous, inTransaction: true })).toEqual({
      cancelOperation: true,
      rollBack: true,
      retry: 'no',
      ...recorded,
    });
  });

  test('statement 36: outside a transaction there is nothing to roll back', () => {
    expect(verdict(failure, { mode: Mode.Synchronous, inTransaction: false })).toEqual({
      cancelOperation: true,
      rollBack: false,
      retry: 'no',
      ...recorded,
    });
  });

  test('statements 48, 55 and 59: an asynchronous step changes nothing of its operation', () => {
    expect(verdict(failure, { mode: Mode.Asynchronous, inTransaction: false })).toEqual({
      cancelOperation: false,
      rollBack: false,
      retry,
      ...recorded,
    });
  });
});
