import type { StepOutcome } from '@airlock/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedact, REDACTED, redactEnd, redactThrown } from './redact.ts';
import { secretValues } from './secret-values.ts';

const JSON_SECRET = JSON.stringify({ url: 'https://bank.example', apiKey: 'sk-"live"\\9c1f04b7', retries: 3, nested: [{ pin: 1234567890 }] });

test.for([
  ['itself', (secret: string) => secret],
  ['JSON', (secret: string) => JSON.stringify({ body: secret })],
  ['JSON in JSON', (secret: string) => JSON.stringify(JSON.stringify({ body: secret }))],
  ['part of a URL', (secret: string) => `https://x.example/?key=${encodeURIComponent(secret)}`],
  ['twice', (secret: string) => `${secret} and ${secret}`],
] as const)('a secret written as %s is taken out, whatever is in it', ([, write]) => {
  fc.assert(
    fc.property(fc.string({ minLength: 8, maxLength: 60, unit: 'grapheme' }), fc.string(), fc.string(), (secret, before, after) => {
      // Text that the secret's own beginning or end happens to meet is none of this test's business.
      fc.pre(secret.trim().length >= 8 && secret.isWellFormed());
      const text = before + write(secret) + after;
      expect(createRedact([secret])(text)).not.toContain(write(secret));
      expect(createRedact([secret])(text)).toContain(REDACTED);
    }),
  );
});

test('texts that hold nothing secret stay as they are', () => {
  const redact = createRedact([JSON_SECRET]);
  fc.assert(fc.property(fc.lorem({ maxCount: 50 }), (text) => redact(text) === text));
  expect(createRedact([])('anything')).toBe('anything');
  expect(createRedact(['short'])('a short text')).toBe('a short text');
});

test('values of a JSON configuration are secrets of their own, with their escapes', () => {
  const redact = createRedact([JSON_SECRET]);
  expect(redact('the key is sk-"live"\\9c1f04b7!')).toBe(`the key is ${REDACTED}!`);
  expect(redact(JSON.stringify({ key: 'sk-"live"\\9c1f04b7' }))).toBe(`{"key":"${REDACTED}"}`);
  expect(redact('pin 1234567890, apiKey, retries 3')).toBe(`pin ${REDACTED}, apiKey, retries 3`);
});

test.for([
  ['a connection string', 'Server=db.internal.example;Password=hunter2hunter2', 'hunter2hunter2'],
  ['lines', 'user: somebody\npassword: "correct horse"', 'correct horse'],
  ['XML', '<settings><secret>tr0ub4dor&3</secret></settings>', 'tr0ub4dor&3'],
  ['a line of its own', 'first-secret\nsecond-secret', 'second-secret'],
] as const)('the values of %s are secrets of their own', ([, configuration, value]) => {
  expect(createRedact([configuration])(`it says ${value} here`)).toBe(`it says ${REDACTED} here`);
});

test('a secret with characters that are cleaned out of traces is found in its cleaned form', () => {
  expect(createRedact(['alpha\u0007beta\r\ngamma'])('alpha\ufffdbeta\ngamma')).toBe(REDACTED);
});

test.for([
  ['at the end', 'the key is 0123456789abc', `the key is ${REDACTED}`],
  ['at the beginning', 'cdefghijklmnop is the key', `${REDACTED} is the key`],
  ['around the mark of the trace log', 'x 0123456789\n[… 900 bytes cut …]\nghijklmnop y', `x ${REDACTED}\n[… 900 bytes cut …]\n${REDACTED} y`],
  [
    'around the mark of the worker',
    'x 01234567\n… 90 bytes of trace left out …\nijklmnop y',
    `x ${REDACTED}\n… 90 bytes of trace left out …\n${REDACTED} y`,
  ],
  ['before the mark of the sandbox', 'x 01234567… [cut]', `x ${REDACTED}… [cut]`],
  ['less than eight characters of it', 'x 0123456', 'x 0123456'],
] as const)('a secret that was cut %s is taken out', ([, text, expected]) => {
  expect(createRedact(['0123456789abcdefghijklmnop'])(text)).toBe(expected);
});

test('a long piece of a long secret is taken out wherever a text was cut', () => {
  const secret = Array.from({ length: 12 }, (_, index) => `part${index}-of-it`).join(' ');
  fc.assert(
    fc.property(
      fc.integer({ min: 32, max: secret.length }),
      fc.constantFrom('', 'x "', '\n'),
      fc.constantFrom('', '" y'),
      (length, before, after) => {
        const redact = createRedact([secret]);
        expect(redact(before + secret.slice(0, length) + after)).toBe(before + REDACTED + after);
        expect(redact(before + secret.slice(-length) + after)).toBe(before + REDACTED + after);
      },
    ),
  );
});

test('of many secrets each is found wherever it stands, by one pass over the text', () => {
  const secrets = Array.from({ length: 300 }, (_, index) => `secret ${index} of a long list`);
  const many = createRedact(secrets);
  fc.assert(
    fc.property(fc.constantFrom(...secrets), fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), (secret, before, after) => {
      expect(many(before + secret + after)).toBe(createRedact([secret])(before + secret + after));
      expect(many(before + secret + after)).not.toContain(secret);
      expect(many(secret.slice(9) + after)).toBe(REDACTED + after);
      expect(many(before + secret.slice(0, 12))).toBe(before + REDACTED);
    }),
  );
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => many(text) === text));
});

test('a part of a secret does not break the whole apart', () => {
  expect(createRedact(['0123456789', '0123456789-and-more'])('it is 0123456789-and-more.')).toBe(`it is ${REDACTED}.`);
});

test('a configuration that is a data set gives a bounded number of values', () => {
  const configuration = JSON.stringify(Array.from({ length: 5_000 }, (_, index) => `value number ${index}`));
  expect(secretValues(configuration).length).toBeLessThan(1_500);
});

describe('an outcome', () => {
  const secret = 'sk-live-9c1f04b7';
  const error = { name: secret, message: `bad ${secret}`, stack: `Error: ${secret}\n at x`, cause: { name: 'E', message: secret, stack: secret } };
  const outcome: StepOutcome = {
    executionId: 'e',
    token: 't',
    receipt: { wallMs: 1, cpuMs: 1, heapBytes: 1, residentBytes: 1, hostCalls: 0, hostCallBytes: 0, start: 'cold' },
    trace: `key ${secret}`,
    traceTruncated: false,
    observation: {
      deadlineFired: false,
      cpuLimitFired: false,
      residentLimitFired: false,
      heapExhausted: false,
      hostCallLimitFired: false,
      childDied: false,
      shuttingDown: false,
      protocolViolation: secret,
      bundleUnavailable: secret,
      throttled: secret,
      thrown: { error, rejection: { status: 0, errorCode: 1, httpStatus: 400, message: secret, details: { [secret]: secret } } },
    },
  };

  test('keeps its secret in no text of it', () => {
    const end = { kind: 'replied', reply: { version: 1, kind: 'ran', runId: 'r', outcomes: [outcome] }, state: secret } as never;
    const { reply, state } = redactEnd(end, createRedact([secret])) as { reply: unknown; state: unknown };
    expect(JSON.stringify(reply)).not.toContain(secret);
    expect(JSON.stringify(reply).split(REDACTED)).toHaveLength(13);
    // Data of the operation: a plug-in may write what it wants to where its user may.
    expect(state).toBe(secret);
  });
});

test('an error for the log says neither in its texts nor in those of its causes what is secret', () => {
  const secret = 'sk-live-9c1f04b7';
  const cause = Object.assign(new TypeError(`inner ${secret}`), { detail: `Key (${secret}) exists`, parameters: [secret] });
  const shown = redactThrown(Object.assign(new Error(`outer ${secret}`, { cause }), { code: '23505' }), createRedact([secret])) as Error;
  expect(shown).toMatchObject({ message: `outer ${REDACTED}`, code: '23505', cause: { name: 'TypeError', detail: `Key (${REDACTED}) exists` } });
  expect(`${shown.stack}${JSON.stringify(shown.cause)}${(shown.cause as Error).stack}`).not.toContain(secret);
  expect(redactThrown(null, createRedact([secret]))).toBe(null);
});
