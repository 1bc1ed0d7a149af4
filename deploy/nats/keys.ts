/** Nkeys: an ed25519 pair. The server knows the public half; the seed stays in a file that only its owner reads. */
import { chmod, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { nkeys } from '@nats-io/transport-node';
import type { PublicKey } from './render-configuration.ts';

export interface NatsKey {
  readonly publicKey: PublicKey;
  readonly seedFile: string;
}

const publicKeyOf = (seed: Uint8Array): PublicKey => nkeys.fromSeed(seed).getPublicKey();

async function readSeed(path: string): Promise<Uint8Array | undefined> {
  try {
    return new TextEncoder().encode((await readFile(path, 'utf8')).trim());
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The key in the file, or a new one written there with mode 0600. */
export async function keyInFile(path: string): Promise<NatsKey> {
  const known = await readSeed(path);
  if (known !== undefined) {
    // Whoever copied it here may have widened its mode.
    await chmod(path, 0o600);
    return { publicKey: publicKeyOf(known), seedFile: path };
  }
  const seed = nkeys.createUser().getSeed();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Exclusive: two that start at once must not write over each other's key.
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(`${new TextDecoder().decode(seed)}\n`);
  } finally {
    await file.close();
  }
  return { publicKey: publicKeyOf(seed), seedFile: path };
}
