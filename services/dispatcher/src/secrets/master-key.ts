import { createHash, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { KEY_BYTES } from './aes-gcm.ts';

/** Seals the data keys. It is in a file of the operator's and nowhere else. */
export interface MasterKey {
  /** Stored beside what the key sealed. A hash of 256 random bits: says nothing about them. */
  readonly id: string;
  readonly key: Uint8Array;
}

const MAX_FILE_CHARS = 4_096;

/**
 * One key a line, 32 bytes as base64. The first seals; the others only open, so that a new key can be put in front while
 * data keys are still wrapped by the old one. Throws without quoting a line: it may be a key with a typing error.
 */
export function parseMasterKeys(text: string): readonly MasterKey[] {
  const lines = text
    .slice(0, MAX_FILE_CHARS)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) throw new Error('the file holds no key: one line, 32 random bytes as base64.');
  return lines.map((line, index) => {
    if (!/^[A-Za-z0-9+/]{43}=$/.test(line)) throw new Error(`line ${index + 1} is not 32 bytes as base64 (44 characters).`);
    const key = Buffer.from(line, 'base64');
    return { id: createHash('sha256').update('airlock master key\n').update(key).digest('hex').slice(0, 16), key };
  });
}

export interface MasterKeyFile {
  readonly keys: readonly MasterKey[];
  /** Other users of the machine may read it. */
  readonly exposed: boolean;
}

export async function readMasterKeyFile(path: string): Promise<MasterKeyFile> {
  try {
    const [text, { mode }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { keys: parseMasterKeys(text), exposed: (mode & 0o007) !== 0 };
  } catch (error) {
    throw new Error(`AIRLOCK_MASTER_KEY_FILE (${path}) cannot be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

export function newMasterKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}
