import { expect, test } from 'vitest';
import { quoteFor } from './quote.ts';

test('everybody but one gets a quote', () => {
  expect(quoteFor('Contoso')).toBe('Quote for Contoso in CHF');
  expect(() => quoteFor('Break me')).toThrow(TypeError);
});
