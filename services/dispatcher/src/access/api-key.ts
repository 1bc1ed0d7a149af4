import { createHash, randomBytes } from 'node:crypto';

/**
 * The text of an API key: `alk_<8 hexadecimal digits>_<43 base64url characters>`. The first part tells keys apart and may
 * be logged; the second is 256 random bits. Only the SHA-256 of the whole text is stored: the secret has full entropy, so a
 * slow hash would add cost and no safety.
 */
const KEY = /^alk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$/;

export interface NewApiKey {
  readonly prefix: string;
  /** The key itself; shown once, stored nowhere. */
  readonly key: string;
  readonly hash: string;
}

export function newApiKey(): NewApiKey {
  const prefix = randomBytes(4).toString('hex');
  const key = `alk_${prefix}_${randomBytes(32).toString('base64url')}`;
  return { prefix, key, hash: hashOfKey(key) };
}

export function isWellFormedKey(key: string): boolean {
  return KEY.test(key);
}

/** In lower-case hexadecimal, as it is stored. */
export function hashOfKey(key: string): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}
