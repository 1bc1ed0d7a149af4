import { MAX_FETCHES, MAX_FETCHES_AT_ONCE } from '@airlock/protocol';
import { expect, test } from 'vitest';
import { FetchDesk } from './fetch-desk.ts';

/** Work that ends when it is told to. */
function heldWork() {
  const begun: (() => void)[] = [];
  const work = () => new Promise<void>((resolve) => void begun.push(resolve));
  return { begun, work };
}

test('a few requests of an execution run at once, the others in their order, and no more than it may make', async () => {
  const desk = new FetchDesk();
  const { begun, work } = heldWork();
  for (let call = 1; call <= MAX_FETCHES; call += 1) expect(desk.request('e', call, work)).toBe(true);
  expect(desk.request('e', MAX_FETCHES + 1, work)).toBe(false);
  for (let ended = 0; ended < MAX_FETCHES; ended += 1) {
    expect(begun.length).toBe(Math.min(MAX_FETCHES, ended + MAX_FETCHES_AT_ONCE));
    begun[ended]?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test('a number that was used is refused, so that a replay asks nobody twice', () => {
  const desk = new FetchDesk();
  const { begun, work } = heldWork();
  expect([3, 3, 2, 4].map((call) => desk.request('e', call, work))).toEqual([true, false, false, true]);
  expect(begun).toHaveLength(2);
});

test('what waits when the execution ends is not begun, and another execution is not held up', async () => {
  const desk = new FetchDesk();
  const { begun, work } = heldWork();
  for (let call = 1; call <= 20; call += 1) desk.request('a', call, work);
  desk.request('b', 1, work);
  expect(begun).toHaveLength(MAX_FETCHES_AT_ONCE + 1);
  desk.forget('a');
  for (const end of begun) end();
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toHaveLength(MAX_FETCHES_AT_ONCE + 1);
});
