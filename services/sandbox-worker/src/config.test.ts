import { expect, test } from 'vitest';
import { parseConfig } from './config.ts';

const machine = { cpus: 1, randomId: 'random' };

test('an empty environment gives a worker with two slots and a random name', () => {
  expect(parseConfig({ PATH: '/bin' }, machine)).toMatchObject({ capacity: 2, workerId: 'random', pool: 'default', jitless: false });
});

test('a variable that nobody reads is an error that names it', () => {
  expect(() => parseConfig({ AIRLOCK_JITLES: '1' }, machine)).toThrow('AIRLOCK_JITLES');
});

test('a pool that cannot be part of a subject is refused', () => {
  expect(() => parseConfig({ AIRLOCK_POOL: 'a.b' }, machine)).toThrow('AIRLOCK_POOL');
});
