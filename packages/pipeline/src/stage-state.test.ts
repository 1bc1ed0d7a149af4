import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StageState } from './context.ts';
import { acceptStageState, MAX_STATE_CHARS, MAX_STATE_DEPTH, parseStageState } from './stage-state.ts';
import type { JsonValue } from './values.ts';

const empty: StageState = { inputParameters: {}, outputParameters: {}, sharedVariables: {} };
const text = (changes: Partial<StageState>) => JSON.stringify({ ...empty, ...changes });
/** Null-prototype objects as plain ones, so that they compare. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

function parsed(source: string): StageState {
  const result = parseStageState(source);
  if (!result.ok) throw new Error(result.problem);
  return result.state;
}

describe('reading a state', () => {
  test('what JSON says comes back', () =>
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.jsonValue({ maxDepth: 5 })), (sharedVariables) => {
        const source = JSON.stringify({ ...empty, sharedVariables });
        fc.pre(!/__proto__|constructor|prototype|\\u0000|\\ud/.test(source));
        expect(plain(parsed(source).sharedVariables)).toEqual(JSON.parse(JSON.stringify(sharedVariables)));
      }),
    ));

  test('no text at all makes it throw', () =>
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json(), fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', '1', 'a') })),
        (source) => {
          expect(typeof parseStageState(source).ok).toBe('boolean');
        },
      ),
    ));

  test.for(['', 'null', '[]', '"x"', '{', '{"inputParameters":{}}', '{"inputParameters":[],"outputParameters":{},"sharedVariables":{}}'])(
    '%s is refused with a problem',
    (source) => {
      expect(parseStageState(source)).toMatchObject({
        ok: false,
        problem: expect.stringMatching(/^(the stage state|\w+ of the stage state) is not/),
      });
    },
  );

  test.for(['inputParameters', 'outputParameters', 'sharedVariables'])('a state without %s is refused by that name', (name) => {
    expect(parseStageState(JSON.stringify({ ...empty, [name]: null }))).toEqual({
      ok: false,
      problem: `${name} of the stage state is not an object`,
    });
  });

  const nested = (levels: number) =>
    `{"inputParameters":{},"outputParameters":{},"sharedVariables":{"x":${'['.repeat(levels)}${']'.repeat(levels)}}}`;

  test('nesting is refused from the first level too deep, before anything recurses', () => {
    expect(parseStageState(nested(MAX_STATE_DEPTH - 2)).ok).toBe(true);
    expect(parseStageState(nested(MAX_STATE_DEPTH - 1))).toMatchObject({ ok: false, problem: expect.stringContaining('deeper than 64') });
    expect(parseStageState(nested(400_000))).toMatchObject({ ok: false, problem: expect.stringContaining('deeper than 64') });
  });

  test('brackets inside text are no nesting', () => {
    expect(parseStageState(text({ sharedVariables: { x: '[{"\\'.repeat(200) } })).ok).toBe(true);
  });

  test('a text above the limit is not even looked at', () => {
    expect(parseStageState(text({ sharedVariables: { x: 'x'.repeat(MAX_STATE_CHARS) } }))).toMatchObject({
      ok: false,
      problem: expect.stringContaining('limit'),
    });
  });

  test.for(['__proto__', 'constructor', 'prototype', '\\u005f_proto__'])('the key %s is dropped at every level', (key) => {
    const source = `{"inputParameters":{"${key}":{"polluted":1},"a":[{"${key}":1,"b":2}]},"outputParameters":{},"sharedVariables":{}}`;
    expect(plain(parsed(source).inputParameters)).toEqual({ a: [{ b: 2 }] });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('a name that everything inherits is not found', () => {
    expect(parsed(text({})).sharedVariables['toString']).toBeUndefined();
  });

  test('NUL and lone surrogates are replaced in keys and values', () => {
    const source = '{"inputParameters":{},"outputParameters":{},"sharedVariables":{"a\\u0000":"\\ud800 \\u0000 \\ud83d\\ude00"}}';
    expect(plain(parsed(source).sharedVariables)).toEqual({ 'a\ufffd': '\ufffd \ufffd \u{1f600}' });
  });

  test('a number that JSON cannot say back becomes null', () => {
    expect(plain(parsed('{"inputParameters":{},"outputParameters":{},"sharedVariables":{"x":1e999}}').sharedVariables)).toEqual({ x: null });
  });
});

describe('accepting a state', () => {
  const target = (attributes: { readonly [key: string]: JsonValue }, changes: { readonly [key: string]: JsonValue } = {}): StageState => ({
    ...empty,
    inputParameters: { Target: { logicalName: 'account', id: 'a', attributes, ...changes }, RowVersion: 7 },
  });
  const accepted = (before: StageState, returned: StageState, stage: 10 | 20 | 40) => plain(acceptStageState(before, returned, { stage }));

  test.for([10, 20] as const)('statement 28: attributes of the target count on stage %i', (stage) => {
    const returned = target({ name: 'new', fax: '1' });
    expect(accepted(target({ name: 'old', city: 'Bern' }), returned, stage)).toEqual(returned);
  });

  test('statement 28: on stage 40 the same edit has no effect', () => {
    expect(accepted(target({ name: 'old' }), target({ name: 'new' }), 40)).toEqual(target({ name: 'old' }));
  });

  test.for([
    ['another row', target({ name: 'x' }, { id: 'b' })],
    ['another table', target({ name: 'x' }, { logicalName: 'systemuser' })],
    ['a key that a target does not have', target({ name: 'x' }, { more: 1 })],
  ] as const)('the target cannot become %s', ([, returned]) => {
    expect(accepted(target({ name: 'old' }), returned, 20)).toEqual(target({ name: 'x' }));
  });

  test.for([null, 'text', [], { logicalName: 'account' }, { attributes: [] }])('a target that is none (%j) changes nothing', (broken: JsonValue) => {
    expect(accepted(target({ name: 'old' }), { ...empty, inputParameters: { Target: broken } }, 20)).toEqual(target({ name: 'old' }));
  });

  test('parameters can be neither added, taken away nor changed beside the target', () => {
    const returned = { ...empty, inputParameters: { RowVersion: 8, SuppressDuplicateDetection: true } };
    expect(accepted(target({ name: 'old' }), returned, 20)).toEqual(target({ name: 'old' }));
  });

  test('the reference that a Delete names stays', () => {
    const before = { ...empty, inputParameters: { Target: { logicalName: 'account', id: 'a' } } };
    const returned = { ...empty, inputParameters: { Target: { logicalName: 'account', id: 'b', attributes: { x: 1 } } } };
    expect(accepted(before, returned, 20)).toEqual(before);
  });

  test('columns and query of a read may be changed before it', () => {
    const before = { ...empty, inputParameters: { Query: { top: 1 }, ColumnSet: ['name'] } };
    const returned = { ...empty, inputParameters: { Query: { top: 2 }, ColumnSet: ['name', 'fax'] } };
    expect(accepted(before, returned, 20)).toEqual(returned);
    expect(accepted(before, { ...empty, inputParameters: { Query: 'x', ColumnSet: {} } }, 20)).toEqual(before);
  });

  test.for([10, 20] as const)('statement 29: output parameters stay empty on stage %i', (stage) => {
    expect(accepted(empty, { ...empty, outputParameters: { id: 'x' } }, stage)).toEqual(empty);
  });

  test("statement 29: on stage 40 Create's id is there and stays", () => {
    const before = { ...empty, outputParameters: { id: 'a' } };
    expect(accepted(before, { ...empty, outputParameters: { id: 'b', more: 1 } }, 40)).toEqual(before);
    expect(accepted(before, empty, 40)).toEqual(before);
  });

  test('on stage 40 the columns of a retrieved row may be changed, but not which row it is', () => {
    const row = (id: string, attributes: { readonly [key: string]: JsonValue }) => ({
      ...empty,
      outputParameters: { BusinessEntity: { logicalName: 'account', id, attributes } },
    });
    expect(accepted(row('a', { iban: 'x' }), row('b', { iban: '***' }), 40)).toEqual(row('a', { iban: '***' }));
  });

  test('on stage 40 found rows may be edited, left out and reordered, not added or doubled', () => {
    const row = (id: string, name: string) => ({ logicalName: 'account', id, attributes: { name } });
    const rows = (entities: readonly JsonValue[], moreRecords: boolean) => ({
      ...empty,
      outputParameters: { BusinessEntityCollection: { entities, moreRecords } },
    });
    const before = rows([row('a', 'A'), row('b', 'B'), row('c', 'C')], false);
    const returned = rows([row('c', 'C2'), row('a', 'A'), row('a', 'again'), row('z', 'Z'), null, 'x'], true);
    expect(accepted(before, returned, 40)).toEqual(rows([row('c', 'C2'), row('a', 'A')], false));
    expect(accepted(before, { ...empty, outputParameters: { BusinessEntityCollection: { entities: 'none' } } }, 40)).toEqual(before);
  });

  test.for([10, 20, 40] as const)('statement 27: on stage %i the tag stays and other shared variables follow the plug-in', (stage) => {
    const before = { ...empty, sharedVariables: { tag: 'abc', a: 1, b: 2 } };
    expect(accepted(before, { ...empty, sharedVariables: { tag: 'other', a: 3 } }, stage)).toEqual({
      ...empty,
      sharedVariables: { tag: 'abc', a: 3 },
    });
    expect(accepted(before, empty, stage)).toEqual({ ...empty, sharedVariables: { tag: 'abc' } });
    expect(accepted(empty, { ...empty, sharedVariables: { tag: 'made up' } }, stage)).toEqual(empty);
  });

  const collection = fc.dictionary(
    fc.constantFrom('Target', 'Query', 'ColumnSet', 'BusinessEntity', 'BusinessEntityCollection', 'id', 'tag', 'x'),
    fc.jsonValue({ maxDepth: 4 }),
  );
  const anyState = fc.record({ inputParameters: collection, outputParameters: collection, sharedVariables: collection }) as fc.Arbitrary<StageState>;

  test('whatever a guest returns, parameters, identity and tag stay', () =>
    fc.assert(
      fc.property(anyState, fc.constantFrom(10, 20, 40), (returned, stage) => {
        const before = { ...target({ name: 'x' }), outputParameters: { id: 'a' }, sharedVariables: { tag: 't' } };
        const { inputParameters, outputParameters, sharedVariables } = acceptStageState(before, returned, { stage });
        expect(Object.keys(inputParameters)).toEqual(Object.keys(before.inputParameters));
        expect(inputParameters['Target']).toMatchObject({ logicalName: 'account', id: 'a' });
        expect(inputParameters['RowVersion']).toBe(7);
        expect(plain(outputParameters)).toEqual({ id: 'a' });
        expect(sharedVariables['tag']).toBe('t');
      }),
    ));
});
