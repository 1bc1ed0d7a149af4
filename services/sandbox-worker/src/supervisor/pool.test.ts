import { createLogger } from '@airlock/telemetry';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { detectLayers } from '../layers/layers.ts';
import { buildChildImage } from './child-image.ts';
import { type ChildPool, createChildPool } from './pool.ts';
import { SandboxProcess } from './sandbox-process.ts';
import { createWatch } from './watch.ts';

const image = buildChildImage();
afterAll(() => image[Symbol.dispose]());

const { layers } = detectLayers({
  searchPath: process.env['PATH'] ?? '',
  bwrap: undefined,
  jitless: false,
  imageDirectory: image.directory,
  arch: process.arch,
  isRoot: process.getuid?.() === 0,
});
const nowMs = (): number => performance.now();
let pool: ChildPool;
const openPool = ({ main = image.main, spares = 0 } = {}): void => {
  const watch = createWatch(nowMs);
  const log = createLogger({ service: 'test', level: 'silent' });
  pool = createChildPool({ spawn: () => new SandboxProcess({ main, jitless: false, layers, nowMs }), spares, maxIdle: 4, nowMs, watch, log });
};
afterEach(() => pool[Symbol.dispose]());

test('who waits gets the child that is released first, and the one started meanwhile is spare', async () => {
  openPool();
  const first = await pool.start('organization-a');
  const waiting = pool.start('organization-a');
  pool.release(first, []);
  expect(await waiting).toBe(first);
  expect(pool.size()).toBe(2);
  const spare = await vi.waitFor(() => pool.take('organization-b', undefined) ?? Promise.reject(new Error('none is spare yet')), { timeout: 20_000 });
  expect(spare).not.toBe(first);
});

test('each of those who wait at once gets a child of its own, and no more are started', async () => {
  openPool();
  const children = await Promise.all([pool.start('organization-a'), pool.start('organization-b'), pool.start('organization-a')]);
  expect(new Set(children).size).toBe(3);
  expect(children.map(({ organizationId }) => organizationId)).toEqual(['organization-a', 'organization-b', 'organization-a']);
  expect(pool.size()).toBe(3);
});

test('a child that is released never serves another organization', async () => {
  openPool();
  const first = await pool.start('organization-a');
  const waiting = pool.start('organization-b');
  pool.release(first, []);
  const other = await waiting;
  expect(other).not.toBe(first);
  expect(other.organizationId).toBe('organization-b');
});

test('a child that does not start is the error of who waited for it', async () => {
  openPool({ main: `${image.main}.gone` });
  await expect(pool.start('organization-a')).rejects.toThrow(/did not start/);
  await expect(pool.start('organization-a')).rejects.toThrow(/did not start/);
  expect(pool.size()).toBe(0);
});
