import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Failure, Rejection } from './failure.ts';
import { faultOf } from './fault.ts';
import { guestError, rejection } from './fixtures.ts';

const seenBy = { stepName: 'Check credit', reference: 'a1b2c3d4', mayReadTraceLog: false, traceText: 'trace' };
const ofRejection = (changes: Partial<Rejection>) =>
  faultOf({ origin: 'plug-in', kind: 'rejected', rejection: rejection(changes), error: guestError }, seenBy);

describe('a rejection', () => {
  test("statement 41: the caller sees the plug-in's own text, with 400", () => {
    expect(ofRejection({ message: 'Not allowed' })).toEqual({
      name: 'PLUGIN_REJECTED',
      facts: { message: 'Not allowed', reference: 'a1b2c3d4' },
      httpStatus: 400,
      details: { operationStatus: 0, subErrorCode: -2146233088, innerErrorMessage: 'Not allowed', traceText: 'trace' },
    });
  });

  test.for([400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 417, 424, 429, 500, 502, 503, 504])(
    'statement 42: it may answer with %i',
    (httpStatus) => {
      expect(ofRejection({ httpStatus }).httpStatus).toBe(httpStatus);
    },
  );

  test('statement 42: every number that is no PluginHttpStatusCode becomes 400', () =>
    fc.assert(
      fc.property(
        fc
          .oneof(fc.integer({ min: 0, max: 599 }), fc.constantFrom(0, 200, 204, 301, 402, 418, 501, Number.NaN, 400.5))
          .filter((status) => ![400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 417, 424, 429, 500, 502, 503, 504].includes(status)),
        (httpStatus) => {
          expect(ofRejection({ httpStatus }).httpStatus).toBe(400);
        },
      ),
    ));

  test.for(['', '   ', '\n'])('statement 43: without text (%j) the caller sees a generic one', (message) => {
    const fault = ofRejection({ message });
    expect(fault.name).toBe('PLUGIN_REJECTED_SILENTLY');
    expect(fault.details).not.toHaveProperty('innerErrorMessage');
  });

  test('statement 46: status and sub-error code are told; no code is the default code', () => {
    expect(ofRejection({ status: 1, errorCode: 12345 }).details).toMatchObject({ operationStatus: 1, subErrorCode: 12345 });
    expect(ofRejection({ status: 1, errorCode: 0 }).details).toMatchObject({ operationStatus: 1, subErrorCode: -2146233088 });
  });

  test('statement 47: HTML in the text is passed on as the text that it is', () => {
    expect(ofRejection({ message: '<b>no</b>' }).facts['message']).toBe('<b>no</b>');
  });

  test('its details travel', () => {
    expect(ofRejection({ details: { field: 'creditlimit' } }).details.exceptionDetails).toEqual({ field: 'creditlimit' });
  });

  test('the words and the stack of its error object do not', () => {
    expect(JSON.stringify(ofRejection({}))).not.toMatch(/secret words|check\.ts/);
  });
});

describe('an unexpected exception', () => {
  const unexpected = (text: string): Failure => ({ origin: 'plug-in', kind: 'unexpected', error: { name: text, message: text, stack: text } });

  test('statement 44: the caller sees the generic text and not the trace', () => {
    expect(faultOf({ origin: 'plug-in', kind: 'unexpected', error: guestError }, seenBy)).toEqual({
      name: 'PLUGIN_UNEXPECTED',
      facts: { step: 'Check credit', reference: 'a1b2c3d4' },
      details: {},
    });
  });

  test('the trace is told to who may read the trace log', () => {
    expect(faultOf(unexpected('x'), { ...seenBy, mayReadTraceLog: true }).details).toEqual({ traceText: 'trace' });
  });

  test('nothing that it says reaches the caller', () =>
    fc.assert(
      fc.property(fc.string({ minLength: 12, maxLength: 40 }), (text) => {
        expect(JSON.stringify(faultOf(unexpected(text), seenBy))).not.toContain(JSON.stringify(text).slice(1, -1));
      }),
    ));
});

describe('limits and the platform', () => {
  const step = 'Check credit';
  const reference = 'a1b2c3d4';
  test.for([
    [{ origin: 'sandbox', kind: 'deadline', limitMs: 7 }, 'STEP_DEADLINE', { limitMs: 7 }],
    [{ origin: 'sandbox', kind: 'cpu', limitMs: 7 }, 'STEP_CPU', { limitMs: 7 }],
    [{ origin: 'sandbox', kind: 'memory', what: 'heap', limitBytes: 7 }, 'STEP_MEMORY', { what: 'heap', limitBytes: 7 }],
    [{ origin: 'sandbox', kind: 'host-calls', limit: 7 }, 'STEP_HOST_CALLS', { limit: 7 }],
    [{ origin: 'sandbox', kind: 'crash' }, 'STEP_CRASHED', {}],
    [{ origin: 'sandbox', kind: 'protocol', detail: 'x' }, 'STEP_PROTOCOL', {}],
    [
      { origin: 'platform', kind: 'no-worker', pool: 'p', workers: 1, queued: 2, waitedMs: 3 },
      'WORKER_UNAVAILABLE',
      { pool: 'p', workers: 1, queued: 2, waitedMs: 3 },
    ],
    [{ origin: 'platform', kind: 'worker-lost', workerId: 'w' }, 'WORKER_LOST', {}],
    [{ origin: 'platform', kind: 'shutting-down' }, 'SHUTTING_DOWN', {}],
    [{ origin: 'platform', kind: 'bundle-unavailable', detail: 'gone' }, 'BUNDLE_UNAVAILABLE', { detail: 'gone' }],
    [{ origin: 'platform', kind: 'throttled', detail: 'killed 5' }, 'STEP_THROTTLED', { detail: 'killed 5' }],
  ] as const)('%o has its own error and no status of its own', ([failure, name, facts]) => {
    expect(faultOf(failure, seenBy)).toEqual({ name, facts: { step, reference, ...facts }, details: {} });
  });

  test.for([
    ["ENOENT: no such file, open '/var/lib/airlock/bundles/ab.js'", "ENOENT: no such file, open '[path]'"],
    ['file:///srv/x.js is\nbroken', '[path] is broken'],
    ['C:\\airlock\\x.js is broken', '[path] is broken'],
    ['3 of 4 workers/children died', '3 of 4 workers/children died'],
  ] as const)('a sentence of a worker loses its paths: %s', ([detail, shown]) => {
    expect(faultOf({ origin: 'platform', kind: 'bundle-unavailable', detail }, seenBy).facts['detail']).toBe(shown);
  });
});
