import { DEPTH_LEVELS, type Hello } from '@airlock/protocol';
import { afterEach, expect, test } from 'vitest';
import { WorkerDirectory } from './worker-directory.ts';

const address = { pool: 'default', workerId: 'one' };
const digest = 'a'.repeat(64);

function hello(patch: Partial<Hello> = {}): Hello {
  return {
    version: 1,
    kind: 'hello',
    incarnation: 'first',
    layers: [],
    jitless: false,
    nodeVersion: 'v26',
    machine: 'here',
    capacity: 2,
    free: new Array<number>(DEPTH_LEVELS).fill(2),
    draining: false,
    warm: [],
    children: 0,
    isolationMode: 2,
    kills: {},
    ...patch,
  } as Hello;
}

const open: WorkerDirectory[] = [];
function directoryOf(nowMs: () => number = () => 0) {
  const lost: string[] = [];
  const directory = new WorkerDirectory(nowMs, (_worker, incarnation) => lost.push(incarnation));
  open.push(directory);
  return { directory, lost };
}
afterEach(() => {
  for (const directory of open.splice(0)) directory[Symbol.dispose]();
});

const request = (depth = 1) => ({ pool: 'default', depth, digest, waitMs: 20_000 });

async function taken(directory: WorkerDirectory, depth = 1) {
  const { slot } = await directory.take(request(depth));
  if (slot === undefined) throw new Error('no slot');
  return slot;
}

test('a hello that was under way when slots were taken does not free them', async () => {
  const { directory } = directoryOf();
  directory.heard(address, hello());
  const first = await taken(directory);
  await taken(directory);
  directory.heard(address, hello());
  const third = directory.take(request());
  expect(directory.waiting).toBe(1);
  first.release();
  expect((await third).slot).toBeDefined();
});

test('a slot that the worker refused is not given to the next in the queue', async () => {
  const { directory } = directoryOf();
  directory.heard(address, hello());
  const slot = await taken(directory);
  await taken(directory);
  const waiting = directory.take(request());
  slot.refuse();
  slot.release();
  expect(directory.waiting).toBe(1);
  directory.heard(address, hello({ free: new Array<number>(DEPTH_LEVELS).fill(1) }));
  expect((await waiting).slot).toBeDefined();
});

test('a request that was refused elsewhere keeps its place', async () => {
  let now = 0;
  const { directory } = directoryOf(() => now);
  directory.heard(address, hello());
  const slots = [await taken(directory), await taken(directory)];
  now = 10;
  const order: string[] = [];
  const young = directory.take(request()).then(() => order.push('young'));
  const old = directory.take({ ...request(), since: 1 }).then(() => order.push('old'));
  slots[0]?.release();
  slots[1]?.release();
  await Promise.all([young, old]);
  expect(order).toEqual(['old', 'young']);
});

test('levels have slots of their own, and deeper ones are served first', async () => {
  const { directory } = directoryOf();
  directory.heard(address, hello({ capacity: 1, free: new Array<number>(DEPTH_LEVELS).fill(1) }));
  await taken(directory, 1);
  await taken(directory, 2);
  expect((await directory.take(request(3))).slot).toBeDefined();
});

test('a worker that came back as another process loses what it had', async () => {
  const { directory, lost } = directoryOf();
  directory.heard(address, hello());
  const slot = await taken(directory);
  directory.heard(address, hello({ incarnation: 'second' }));
  expect(lost).toEqual(['first']);
  // Of the process before: it changes nothing for this one.
  slot.release();
  await taken(directory);
  await taken(directory);
  void directory.take(request());
  expect(directory.waiting).toBe(1);
});

test('no worker within the time: the answer counts those that take work, and who else waits', async () => {
  const { directory } = directoryOf();
  directory.heard(address, hello({ draining: true }));
  expect(await directory.take({ ...request(), waitMs: 1 })).toMatchObject({ slot: undefined, workers: 0, queued: 0 });
});
