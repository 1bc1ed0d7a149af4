import { expect, test } from 'vitest';
import { ibanProblem, storedIban } from './iban-rule.ts';

test('a good IBAN is good in any spelling, and stored in one', () => {
  for (const iban of ['CH93 0076 2011 6238 5295 7', 'ch9300762011623852957', 'CH93-0076-2011-6238-5295-7']) {
    expect(ibanProblem(iban)).toBeUndefined();
    expect(storedIban(iban)).toBe('CH9300762011623852957');
  }
});

test.for([
  ['CH94 0076 2011 6238 5295 7', 'its check digits do not fit'],
  ['CH93 0076 2011 6238 5295', 'it has the wrong length for its country'],
  ['XX93 0076 2011 6238 5295 7', 'it begins with no country that has IBANs'],
  [' ', 'it is empty'],
] as const)('"%s" is refused because %s', ([iban, problem]) => {
  expect(ibanProblem(iban)).toBe(problem);
});
