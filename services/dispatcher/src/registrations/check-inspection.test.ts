import { PlatformError } from '@airlock/protocol';
import { expect, test } from 'vitest';
import { checkInspection, placeOf } from './check-inspection.ts';
import { inspected } from './fixture.ts';

const bundle = { name: 'credit', version: '1.0.0' };

test.for([
  ['a frame in a function', 'TypeError: x\n    at load (src/credit.ts:12:5)\n    at boot (boot.js:1:1)', 'src/credit.ts:12:5'],
  ['a frame at top level', 'TypeError: x\n    at src/credit.ts:12:5', 'src/credit.ts:12:5'],
  ['a file URL', 'TypeError: x\n    at file:///src/credit.ts:12:5', 'file:///src/credit.ts:12:5'],
  ['a package in the path', 'TypeError: x\n    at m (node_modules/@scope/pack/index.js:3:9)', 'node_modules/@scope/pack/index.js:3:9'],
  ['a place in the message, which the author chose', 'Error: see other.ts:1:1\n    at load (src/credit.ts:12:5)', 'src/credit.ts:12:5'],
  ['a syntax error', 'src/credit.ts:7\nlet x = ;\n        ^\n\nSyntaxError: Unexpected token', 'src/credit.ts:7'],
  ['no place at all', 'Error: nothing\n    at <anonymous>', undefined],
  ['an empty stack', '', undefined],
] as const)('the place is the topmost frame: %s', ([, stack, place]) => {
  expect(placeOf(stack)).toBe(place);
});

test('a stack that is made to be slow to read is read in bounded time', () => {
  const hostile = Array.from({ length: 2_000 }, () => `    at ${'a:1:'.repeat(4_000)}`).join('\n');
  expect(placeOf(hostile)).toBeUndefined();
});

test.for([
  [{ deadlineFired: true }, 'BUNDLE_LIMIT_AT_LOAD'],
  [{ cpuLimitFired: true }, 'BUNDLE_LIMIT_AT_LOAD'],
  [{ heapExhausted: true }, 'BUNDLE_LIMIT_AT_LOAD'],
  [{ residentLimitFired: true }, 'BUNDLE_LIMIT_AT_LOAD'],
  [{ childDied: true }, 'BUNDLE_LIMIT_AT_LOAD'],
  [{ hostCallLimitFired: true }, 'BUNDLE_LIMIT_AT_LOAD'],
  [{ protocolViolation: 'said nonsense' }, 'BUNDLE_LIMIT_AT_LOAD'],
  [{ thrown: 'unreadable' }, 'BUNDLE_THROWS_AT_LOAD'],
  [{ shuttingDown: true, childDied: true }, 'SHUTTING_DOWN'],
  [{ throttled: 'killed three children' }, 'STEP_THROTTLED'],
  [{ bundleUnavailable: 'wrong digest' }, 'BUNDLE_UNAVAILABLE'],
] as const)('an observation %o is refused as %s, whatever types the guest claims to have', ([seen, code]) => {
  const claims = [{ typeName: 'Fine', steps: [] }];
  try {
    checkInspection(bundle, inspected(claims, seen));
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(PlatformError);
    expect((error as PlatformError).code).toBe(code);
  }
});

test('a type name that would forge a line of a log is refused', () => {
  expect(() => checkInspection(bundle, inspected([{ typeName: 'A\nB', steps: [] }]))).toThrow('control characters');
});
