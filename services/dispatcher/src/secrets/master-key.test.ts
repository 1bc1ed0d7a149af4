import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newMasterKey, parseMasterKeys, readMasterKeyFile } from './master-key.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'airlock-master-key-'));
});
afterAll(() => rm(directory, { recursive: true }));

test('a file holds one key a line, the first is the one that seals', () => {
  const [a, b] = [newMasterKey(), newMasterKey()];
  const keys = parseMasterKeys(`${a}\r\n\n  ${b}\n`);
  expect(keys.map(({ key }) => Buffer.from(key).toString('base64'))).toEqual([a, b]);
  expect(keys[0]?.id).toMatch(/^[0-9a-f]{16}$/);
  expect(keys[0]?.id).not.toBe(keys[1]?.id);
  expect(parseMasterKeys(a)[0]?.id).toBe(keys[0]?.id);
});

test.for([
  ['nothing', ''],
  ['white space', ' \n\n'],
  ['a key that is too short', Buffer.alloc(31).toString('base64')],
  ['a key that is too long', Buffer.alloc(33).toString('base64')],
  ['hexadecimal digits', 'ab'.repeat(32)],
  ['a second line that is no key', `${Buffer.alloc(32, 7).toString('base64')}\npassword-of-somebody`],
])('%s is refused without being quoted', ([, text = '']) => {
  expect(() => parseMasterKeys(text)).toThrow(/key|base64/);
  expect(() => parseMasterKeys(text)).not.toThrow(/password-of-somebody/);
});

test('the file is read, and said to be exposed when everybody may read it', async () => {
  const file = join(directory, 'master.key');
  await writeFile(file, newMasterKey(), { mode: 0o600 });
  expect(await readMasterKeyFile(file)).toMatchObject({ exposed: false });
  await chmod(file, 0o644);
  expect(await readMasterKeyFile(file)).toMatchObject({ exposed: true });
  await expect(readMasterKeyFile(join(directory, 'none'))).rejects.toThrow('AIRLOCK_MASTER_KEY_FILE');
});
