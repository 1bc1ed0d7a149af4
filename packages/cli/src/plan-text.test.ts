import type { PlannedChange, PushResult } from '@airlock/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planText } from './plan-text.ts';

const plain = (_: string, text: string): string => text;
const bundle = { name: '@acme/credit', version: '1.2.0', digest: 'ab'.repeat(32) };
const textOf = (changes: readonly PlannedChange[], warnings: readonly string[] = []): string =>
  planText({ bundle, changes: [...changes], warnings: [...warnings] }, plain);

test('a plan lists what is made, changed and taken away, and counts the rest', () => {
  const text = textOf(
    [
      {
        action: 'update',
        what: 'bundle',
        name: '@acme/credit',
        differences: [
          { field: 'version', from: '1.1.0', to: '1.2.0' },
          { field: 'digest', from: 'aa', to: 'bb' },
        ],
      },
      { action: 'unchanged', what: 'plugin-type', name: 'credit', differences: [] },
      { action: 'create', what: 'step', name: 'new', differences: [] },
      { action: 'delete', what: 'image', name: 'old: before', differences: [] },
    ],
    ['rank was set at the registration and is kept.'],
  );
  expect(text).toBe(`@acme/credit 1.2.0 sha256 abababababab
  ~ bundle "@acme/credit"
      version  "1.1.0" → "1.2.0"
      digest   "aa" → "bb"
  + step "new"
  - image "old: before"
  ! rank was set at the registration and is kept.
1 to create, 1 to update, 1 to delete, 1 unchanged.`);
});

test('a plan without changes says so', () => {
  expect(textOf([{ action: 'unchanged', what: 'bundle', name: 'x', differences: [] }])).toContain('\nNothing to change.');
});

test('a long value is cut', () => {
  const text = textOf([{ action: 'update', what: 'step', name: 'x', differences: [{ field: 'configuration', from: '', to: 'y'.repeat(5_000) }] }]);
  expect(text).toContain(`"" → "${'y'.repeat(120)}…"`);
});

const change = fc.record<PushResult['changes'][number]>({
  action: fc.constantFrom('create', 'update', 'delete', 'unchanged'),
  what: fc.constantFrom('bundle', 'plugin-type', 'step', 'image'),
  name: fc.string({ unit: 'binary' }),
  differences: fc.array(fc.record({ field: fc.string({ unit: 'binary' }), from: fc.string({ unit: 'binary' }), to: fc.string({ unit: 'binary' }) })),
});

test('whatever names a server sends, none adds a line or reaches the terminal as a control character', () => {
  fc.assert(
    fc.property(fc.array(change), fc.array(fc.string({ unit: 'binary' })), (changes, warnings) => {
      const lines = textOf(changes, warnings).split('\n');
      const shown = changes.filter(({ action }) => action !== 'unchanged');
      expect(lines).toHaveLength(2 + warnings.length + shown.reduce((count, { differences }) => count + 1 + differences.length, 0));
      // oxlint-disable-next-line no-control-regex -- These are what the test is about.
      expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }),
  );
});
