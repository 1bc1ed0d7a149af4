import { expect, test } from 'vitest';
import { accountNumber, normalTelephone, normalWebsite } from './normalise.ts';

test.for([
  ['044 668 18 00', '+41 44 668 18 00'],
  ['+4930901820', '+49 30 901820'],
  [' on request ', 'on request'],
  ['12', '12'],
])('the telephone number "%s" becomes "%s"', ([typed, stored]) => {
  expect(normalTelephone(typed ?? '')).toBe(stored);
});

test.for([
  ['Contoso.com/', 'https://contoso.com'],
  ['http://contoso.com/a?b=1', 'http://contoso.com/a?b=1'],
  ['ftp://contoso.com', 'ftp://contoso.com'],
  ['javascript:alert(1)', 'javascript:alert(1)'],
  ['not an address', 'not an address'],
  ['localhost', 'localhost'],
])('the address "%s" becomes "%s"', ([typed, stored]) => {
  expect(normalWebsite(typed ?? '')).toBe(stored);
});

test.for(['044 668 18 00', 'Contoso.com/', 'x'])('what is normal stays as it is: %s', (typed) => {
  expect(normalTelephone(normalTelephone(typed))).toBe(normalTelephone(typed));
  expect(normalWebsite(normalWebsite(typed))).toBe(normalWebsite(typed));
});

test.for([
  ['Contoso', 'CON-222222'],
  ['Zürich Tools AG', 'ZUR-222222'],
  ['3M', 'MXX-222222'],
  ['日本', 'XXX-222222'],
])('the number of "%s" begins with its letters', ([name, number]) => {
  expect(accountNumber(name ?? '', () => 0)).toBe(number);
});

test('the highest random number is a symbol too', () => {
  expect(accountNumber('Contoso', () => 1 - Number.EPSILON)).toBe('CON-ZZZZZZ');
});
