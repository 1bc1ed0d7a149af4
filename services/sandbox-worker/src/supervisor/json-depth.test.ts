import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isJsonWithinDepth } from './json-depth.ts';

const depthOf = (value: unknown): number => (typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0);

test('the depth of every JSON text is the depth of its value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.integer({ min: 0, max: 6 }), (value, limit) => {
      expect(isJsonWithinDepth(JSON.stringify(value), limit)).toBe(depthOf(value) <= limit);
    }),
  );
});

test.for(['[', '{"a":', '"open', '[]]'])('%s is refused', (text) => {
  expect(isJsonWithinDepth(text, 64)).toBe(false);
});
