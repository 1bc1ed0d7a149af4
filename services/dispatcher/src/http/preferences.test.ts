import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePreferences, wantsAnnotation } from './preferences.ts';

test.for([
  ['return=representation', { returnRepresentation: true }],
  ['respond-async,return=representation', { returnRepresentation: true }],
  ['return="representation"', { returnRepresentation: true }],
  ['odata.callback;url="http://x.example/a,return=representation", return=minimal', { returnRepresentation: false }],
  ['odata.maxpagesize=50,odata.include-annotations="*"', { maxPageSize: 50, annotations: ['*'] }],
  ['odata.include-annotations="a.b, c.*",return=representation', { annotations: ['a.b', 'c.*'], returnRepresentation: true }],
  ['return=representation;x="1,2"; y=3 , odata.maxpagesize=7', { returnRepresentation: true, maxPageSize: 7 }],
  ['odata.maxpagesize=1,odata.maxpagesize=2', { maxPageSize: 1 }],
  ['odata.maxpagesize=0', { maxPageSize: undefined }],
  ['odata.maxpagesize=-5', { maxPageSize: undefined }],
] as const)('reads %s', ([header, expected]) => {
  expect(parsePreferences(header)).toMatchObject(expected);
});

test('several headers are one list', () => {
  expect(parsePreferences(['odata.maxpagesize=3', 'return=representation'])).toMatchObject({ maxPageSize: 3, returnRepresentation: true });
});

test.for([
  [['*'], 'a.b', true],
  [['a.*'], 'a.b', true],
  [['a.*'], 'b.a', false],
  [['*', '-a.*'], 'a.b', false],
  [['a.b'], 'a.bc', false],
  [[], 'a', false],
] as const)('patterns %j of %s: %s', ([patterns, name, wanted]) => {
  expect(wantsAnnotation(patterns, name)).toBe(wanted);
});

test('no header fails a request', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (header) => {
      expect(parsePreferences(header).annotations).toBeInstanceOf(Array);
    }),
  );
});
