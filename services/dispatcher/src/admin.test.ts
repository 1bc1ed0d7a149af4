import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../test/support/postgres.ts';
import { migrated, openDatabase } from './registrations/fixture.ts';
import { readAudit } from './registrations/read-audit.ts';
import { ensureDataKey, readDataKeys } from './secrets/data-keys.ts';
import { newMasterKey, parseMasterKeys } from './secrets/master-key.ts';

const ADMIN = fileURLToPath(new URL('./admin.ts', import.meta.url));
const run = promisify(execFile);
const database = useDatabase({ template: migrated });
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'airlock-admin-'));
});
afterAll(() => rm(directory, { recursive: true }));

const admin = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  run(process.execPath, [ADMIN, ...args], { env: { PATH: process.env['PATH'], ...env }, timeout: 60_000 });
const answerOf = async (work: ReturnType<typeof admin>) => JSON.parse((await work).stdout.trim()) as Record<string, unknown>;

test('a master key is written for its owner only, and never over a file that is there', async () => {
  const file = join(directory, 'new.key');
  expect(await answerOf(admin(['generate-master-key', file]))).toEqual({ file });
  expect(parseMasterKeys(await readFile(file, 'utf8'))).toHaveLength(1);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await expect(admin(['generate-master-key', file])).rejects.toThrow('EEXIST');
});

test('data keys are wrapped by the first key of the file, which is in the audit log', async () => {
  await using db = openDatabase(database.url);
  const [old, fresh] = [newMasterKey(), newMasterKey()];
  const [oldKey, freshKey] = [parseMasterKeys(old), parseMasterKeys(fresh)];
  await db.inTransaction((tx) => ensureDataKey(tx, oldKey[0] as (typeof oldKey)[number]));
  const file = join(directory, 'both.key');
  const env = { DATABASE_URL: database.url, AIRLOCK_MASTER_KEY_FILE: file };
  await writeFile(file, fresh);
  await expect(admin(['rewrap-secrets'], env)).rejects.toThrow('Nothing was changed');
  await writeFile(file, `${fresh}\n${old}\n`);
  expect(await answerOf(admin(['rewrap-secrets'], env))).toEqual({ masterKey: freshKey[0]?.id, rewrapped: 1 });
  expect(await readDataKeys(db, freshKey)).toMatchObject([{ ok: true }]);
  expect(await readDataKeys(db, oldKey)).toMatchObject([{ ok: false }]);
  expect((await readAudit(db, { top: 1 }))[0]).toMatchObject({ action: 'rewrap-data-keys', changes: { masterKey: freshKey[0]?.id, rewrapped: 1 } });
  expect(await db.query(sql`select 1 from airlock.datakey`)).toHaveLength(1);
});

test('a command that there is not is answered with the usage', async () => {
  await expect(admin(['toString'])).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('rewrap-secrets') as unknown });
});
