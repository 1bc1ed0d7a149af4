import { expect, test } from 'vitest';
import { problemsOf } from './contact-schema.ts';

test('a contact with nothing to look at is fine', () => {
  expect(problemsOf({ fullname: 'Ada Lovelace', emailaddress1: null })).toEqual({});
});

test('a good contact is fine', () => {
  expect(problemsOf({ firstname: 'Ada', lastname: 'Lovelace', emailaddress1: 'ada@example.com', telephone1: '+44 20 7946 0018' })).toEqual({});
});

test.for([
  ['lastname', ''],
  ['firstname', '  '],
  ['emailaddress1', 'ada@'],
  ['telephone1', 'soon'],
] as const)('%s "%s" is a problem of that column', ([column, value]) => {
  expect(Object.keys(problemsOf({ [column]: value }))).toEqual([column]);
});
