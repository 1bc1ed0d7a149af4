import type { BundleDigest } from '@airlock/pipeline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import type { Queryable } from '../store/queryable.ts';
import { BundleStore } from './bundle-store.ts';
import { digestOf, migrated, oneType, openRegistry, operator, type Registry, upload } from './fixture.ts';
import { pushBundle } from './push-bundle.ts';

const database = useDatabase({ template: migrated });
let registry: Registry;
const codes = ['a', 'b', 'c'].map((letter) => `${letter.repeat(999)}\n`);
const digests = codes.map((code) => digestOf(code) as BundleDigest);
const [first, second, third] = digests as [BundleDigest, BundleDigest, BundleDigest];
const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString());

/** The database, and how often it was asked. */
function counting() {
  let reads = 0;
  const db: Queryable = {
    query: (statement) => {
      reads += 1;
      return registry.db.query(statement);
    },
  };
  return { db, reads: () => reads };
}

beforeAll(async () => {
  registry = openRegistry(database.url);
  registry.answer(oneType());
  for (const [index, code] of codes.entries()) {
    const sourceMap = index === 0 ? { sourceMap: '{"version":3}' } : {};
    await pushBundle(registry.deps, { ...upload(`1.0.${index}`, { code }), ...sourceMap }, operator, { plan: false });
  }
});
afterAll(() => registry[Symbol.asyncDispose]());

test('serves the exact bytes of code and source map, and says when there are none', async () => {
  const store = new BundleStore(registry.db);
  expect(text(await store.readPart(first, 'code'))).toBe(codes[0]);
  expect(text(await store.readPart(first, 'source-map'))).toBe('{"version":3}');
  expect(await store.readPart(second, 'source-map')).toBeUndefined();
  expect(await store.readPart('0'.repeat(64) as BundleDigest, 'code')).toBeUndefined();
});

test('reads a bundle once, however many ask for it at the same time or later', async () => {
  const { db, reads } = counting();
  const store = new BundleStore(db);
  await Promise.all([store.readPart(first, 'code'), store.readPart(first, 'code')]);
  await store.readPart(first, 'code');
  expect(reads()).toBe(1);
});

test('forgets what was not used for longest when the memory is full', async () => {
  const { db, reads } = counting();
  const store = new BundleStore(db, { cacheBytes: 2_000 });
  await store.readPart(first, 'code');
  await store.readPart(second, 'code');
  await store.readPart(first, 'code');
  await store.readPart(third, 'code');
  expect(reads()).toBe(3);
  await store.readPart(first, 'code');
  expect(reads()).toBe(3);
  await store.readPart(second, 'code');
  expect(reads()).toBe(4);
});

test('serves an offered bundle until the last offer of it is withdrawn', async () => {
  const store = new BundleStore(registry.db);
  const digest = digestOf('offered') as BundleDigest;
  const parts = { code: Buffer.from('offered'), sourceMap: undefined };
  const one = store.offer(digest, parts);
  const two = store.offer(digest, parts);
  one[Symbol.dispose]();
  expect(text(await store.readPart(digest, 'code'))).toBe('offered');
  expect(await store.readPart(digest, 'source-map')).toBeUndefined();
  two[Symbol.dispose]();
  expect(await store.readPart(digest, 'code')).toBeUndefined();
});
