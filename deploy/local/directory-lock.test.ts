import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tryDirectoryLock, withDirectoryLock } from './directory-lock.mjs';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'airlock-lock-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('a lock that is held is refused, and given after its release', async () => {
  const path = join(directory, 'held.lock');
  const release = await tryDirectoryLock(path);
  expect(await tryDirectoryLock(path)).toBeUndefined();
  await release?.();
  const again = await tryDirectoryLock(path);
  expect(again).toBeDefined();
  await again?.();
});

test('a lock whose holder is dead is taken over', async () => {
  const path = join(directory, 'dead.lock');
  await mkdir(path);
  const { pid } = spawnSync(process.execPath, ['--version']);
  await writeFile(join(path, 'pid'), String(pid));
  const release = await tryDirectoryLock(path);
  expect(release).toBeDefined();
  await release?.();
});

test('work under one lock never overlaps', async () => {
  const path = join(directory, 'queue.lock');
  let inside = 0;
  let most = 0;
  const work = () =>
    withDirectoryLock(path, async () => {
      inside++;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    });
  await Promise.all([work(), work(), work()]);
  expect(most).toBe(1);
});

test('a lock is released when the work fails', async () => {
  const path = join(directory, 'failed.lock');
  await expect(withDirectoryLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  const release = await tryDirectoryLock(path);
  expect(release).toBeDefined();
  await release?.();
});
