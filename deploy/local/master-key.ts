import { randomBytes } from 'node:crypto';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The master key of a development system: made once, readable by its owner only, and kept as long as the directory. Without it, secure
 * configurations of the database could no longer be opened.
 */
export async function ensureMasterKey(directory: string): Promise<string> {
  const file = join(directory, 'master.key');
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isThere) await writeFile(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  return file;
}
