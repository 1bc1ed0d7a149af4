import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureMasterKey } from './master-key.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'airlock-local-'));
});
afterAll(() => rm(directory, { recursive: true }));

test('a development system has one master key, for its owner only, and keeps it', async () => {
  const file = await ensureMasterKey(directory);
  const text = await readFile(file, 'utf8');
  expect(Buffer.from(text.trim(), 'base64')).toHaveLength(32);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await ensureMasterKey(directory)).toBe(file);
  expect(await readFile(file, 'utf8')).toBe(text);
});
