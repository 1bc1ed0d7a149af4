import fc from 'fast-check';

/** Texts that a database, a log or a terminal chokes on: NUL, lone surrogates, bidi, control and escape characters, non-characters. */
const HAZARDS = [
  '\0',
  'a\0b',
  '\ud800',
  '\udc00',
  'a\udc00\ud800b',
  '\u202e\u2066',
  '\u200e\ufeff',
  '\u001b[31m',
  '\u0085\u009b',
  '\r\n\r',
  '\u2028\u2029',
  '\ufffe\uffff',
  '\u0301'.repeat(50),
  '\u{1f469}\u200d\u{1f469}',
  "'; drop table airlock.organization; --",
  '%00%0a',
  '\\u0000',
  '{{constructor}}',
  '__proto__',
] as const;

export const hazard: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...HAZARDS),
  fc.array(fc.constantFrom(...HAZARDS, 'a', ' ', 'é'), { maxLength: 6 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.array(fc.nat({ max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
);

export const number: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, -0, -1, 1.5, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 2 ** 63, 1e308, -1e308, 5e-324),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Any JSON, with the texts and numbers above. */
export const anyJson: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof(hazard, number, fc.boolean(), fc.constant(null)),
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(hazard, fc.constantFrom('id', 'name', '__proto__', 'toString')), tie('value'), { maxKeys: 4 }),
  ),
})).value;

/** Texts that no parser of JSON should need much for. */
export const brokenJson: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    '{',
    '[',
    '"',
    '{"a":',
    'nul',
    '[1,]',
    '{"a":1,"a":2}',
    '\ufeff{}',
    `${'['.repeat(5_000)}`,
    `${'{"a":'.repeat(5_000)}`,
    '1e999',
    '"\ud800"',
    '-',
  ),
  hazard,
  fc.json().map((text) => text.slice(0, Math.max(0, text.length - 1))),
);
