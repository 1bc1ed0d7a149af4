import { DEPTH_LEVELS, type Hello } from '@airlock/protocol';
import { afterEach, expect, test } from 'vitest';
import { MAX_WORKERS_A_POOL, WorkerDirectory } from './worker-directory.ts';

const hello: Hello = {
  version: 1,
  kind: 'hello',
  incarnation: 'one',
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
};
let now = 0;
const open: WorkerDirectory[] = [];
function directoryOf(): WorkerDirectory {
  const directory = new WorkerDirectory(
    () => now,
    () => undefined,
  );
  open.push(directory);
  return directory;
}
afterEach(() => {
  for (const directory of open.splice(0)) directory[Symbol.dispose]();
});
const request = { pool: 'default', depth: 1, digest: 'a'.repeat(64), waitMs: 0 };
const takenFrom = async (directory: WorkerDirectory) => {
  const { slot } = await directory.take(request);
  return slot;
};

test('a pool has a bounded number of workers; those that are in stay heard, and other pools have their own', () => {
  const directory = directoryOf();
  for (let count = 0; count < MAX_WORKERS_A_POOL; count++) expect(directory.heard({ pool: 'default', workerId: `w${count}` }, hello)).toBe(true);
  expect(directory.heard({ pool: 'default', workerId: 'one too many' }, hello)).toBe(false);
  expect(directory.heard({ pool: 'default', workerId: 'w0' }, hello)).toBe(true);
  expect(directory.heard({ pool: 'other', workerId: 'first' }, hello)).toBe(true);
  expect(directory.list()).toHaveLength(MAX_WORKERS_A_POOL + 1);
});

test('more free slots than a worker has slots are not believed', async () => {
  const directory = directoryOf();
  directory.heard({ pool: 'default', workerId: 'liar' }, { ...hello, free: new Array<number>(DEPTH_LEVELS).fill(1_000_000) });
  const slots = [await takenFrom(directory), await takenFrom(directory), await takenFrom(directory)];
  expect(slots.filter((slot) => slot !== undefined)).toHaveLength(2);
});

test('a worker that refuses again and again is passed over for others, and asked again after a while or a delivery', async () => {
  const directory = directoryOf();
  const liar = { pool: 'default', workerId: 'liar' };
  directory.heard({ pool: 'default', workerId: 'honest' }, { ...hello, capacity: 1, free: new Array<number>(DEPTH_LEVELS).fill(1) });
  for (let refusals = 0; refusals < 10; refusals++) {
    directory.heard(liar, hello);
    const slot = await takenFrom(directory);
    if (slot?.worker.workerId === 'liar') slot.refuse();
    else slot?.release();
  }
  directory.heard(liar, hello);
  const slot = await takenFrom(directory);
  expect(slot?.worker.workerId).toBe('honest');
  expect(await takenFrom(directory)).toBeUndefined();
  now += 1_000;
  expect((await takenFrom(directory))?.worker.workerId).toBe('liar');
});
