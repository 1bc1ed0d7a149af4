import { expect, test } from 'vitest';
import { CallQueue, MAX_CALLS_WAITING } from './call-queue.ts';

test('calls are served one after the other, in the order in which they came', async () => {
  const queue = new CallQueue();
  const served: string[] = [];
  const first = Promise.withResolvers<void>();
  queue.take(1, 10, async () => {
    served.push('first begins');
    await first.promise;
    served.push('first ends');
  });
  queue.take(2, 10, async () => void served.push('second'));
  first.resolve();
  await queue.settled;
  expect(served).toEqual(['first begins', 'first ends', 'second']);
});

test('a call number counts once, also an older one', () => {
  const queue = new CallQueue();
  expect(queue.take(5, 10, () => Promise.resolve())).toBe('taken');
  expect(queue.take(5, 10, () => Promise.resolve())).toBe('replayed');
  expect(queue.take(4, 10, () => Promise.resolve())).toBe('replayed');
});

test('neither more calls than the execution may make are taken, nor more than may wait', async () => {
  const few = new CallQueue();
  expect([1, 2, 3].map((id) => few.take(id, 2, () => Promise.resolve()))).toEqual(['taken', 'taken', 'too many']);
  const many = new CallQueue();
  const gate = Promise.withResolvers<void>();
  for (let id = 0; id < MAX_CALLS_WAITING; id += 1) many.take(id, 1_000, () => gate.promise);
  expect(many.take(MAX_CALLS_WAITING, 1_000, () => gate.promise)).toBe('too many');
  gate.resolve();
  await many.settled;
  expect(many.take(MAX_CALLS_WAITING, 1_000, () => Promise.resolve())).toBe('taken');
});
