import { randomFillSync } from 'node:crypto';

/** One draw for many: a call into the system's generator costs more than what a step does with its bytes (measured: 25 µs each after a pause). */
const pool = Buffer.alloc(4_096);
let used = pool.length;

/** Text of `bytes` random bytes. No byte is given out twice, and none stays in the pool after it was. */
export function randomText(bytes: number, encoding: 'base64url' | 'hex'): string {
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > pool.length) throw new RangeError(`random text is made of 1 to ${pool.length} bytes`);
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const text = pool.toString(encoding, used, used + bytes);
  pool.fill(0, used, used + bytes);
  used += bytes;
  return text;
}
