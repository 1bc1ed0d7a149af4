import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type BundleSignature, signedText } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { clear, codeOf, digestOf, migrated, onCreate, oneType, openRegistry, operator, type Registry, upload } from './fixture.ts';
import { listBundles } from './list.ts';
import { pushBundle } from './push-bundle.ts';
import { readAudit } from './read-audit.ts';
import { patchSettings } from './settings.ts';
import { listSigningKeys, registerSigningKey, revokeSigningKey } from './signing-keys.ts';

const database = useDatabase({ template: migrated });
const CODE = 'module.exports = {};';
let registry: Registry;
let organizationId: string;
let inspections = 0;
beforeAll(async () => {
  registry = openRegistry(database.url);
  const [row] = await registry.db.query(sql`select organizationid from airlock.organization`);
  organizationId = String(row?.['organizationid']);
});
afterAll(() => registry[Symbol.asyncDispose]());
beforeEach(async () => {
  await clear(registry.db);
  registry.answer(oneType(onCreate));
  inspections = 0;
});

const pair = generateKeyPairSync('ed25519');
const pemOf = (key: KeyObject) => String(key.export({ type: 'spki', format: 'pem' }));
const fingerprintOf = (key: KeyObject) =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
const about = { digest: digestOf(CODE), name: 'credit', version: '1.0.0' };

function signature(changes: Partial<typeof about> & { readonly organizationId?: string } = {}, keys = pair): BundleSignature {
  const text = signedText({ ...about, organizationId, ...changes });
  return { key: fingerprintOf(keys.publicKey), value: sign(null, Buffer.from(text), keys.privateKey).toString('base64') };
}

const deps = () => ({
  ...registry.deps,
  inspect: (...given: Parameters<Registry['deps']['inspect']>) => {
    inspections += 1;
    return registry.deps.inspect(...given);
  },
});
const push = (signed?: BundleSignature, given: Partial<Parameters<typeof upload>[1]> & { readonly version?: string } = {}) => {
  const { version = '1.0.0', ...options } = given;
  return pushBundle(deps(), { ...upload(version, { code: CODE, ...options }), ...(signed && { signature: signed }) }, operator, { plan: false });
};
const register = (keys = pair, name = 'release key') => registerSigningKey(registry.deps, { name, publicKey: pemOf(keys.publicKey) }, operator);
const demandSignatures = (requireSignature = true) => patchSettings(registry.deps, { requireSignature }, operator);

test('a signed bundle is stored with the key that signed it', async () => {
  await register();
  await demandSignatures();
  await push(signature());
  expect((await listBundles(registry.db))[0]).toMatchObject({ name: 'credit', signedBy: 'release key' });
  const [entry] = await readAudit(registry.db, { top: 1 });
  expect(entry).toMatchObject({ action: 'push', changes: { signedBy: fingerprintOf(pair.publicKey) } });
});

describe('what is refused before any of its code runs', () => {
  const stranger = generateKeyPairSync('ed25519');
  test.for([
    ['no signature, where one is required', 'BUNDLE_SIGNATURE_MISSING', () => push()],
    ['a key that is not registered', 'SIGNING_KEY_UNKNOWN', () => push(signature({}, stranger))],
    ['a wrong key under the name of a registered one', 'BUNDLE_SIGNATURE_INVALID', () => push({ ...signature({}, stranger), key: signature().key })],
    ['changed code', 'BUNDLE_SIGNATURE_INVALID', () => push(signature(), { code: `${CODE} ` })],
    ['another name', 'BUNDLE_SIGNATURE_INVALID', () => push(signature(), { name: 'debit' })],
    ['another version', 'BUNDLE_SIGNATURE_INVALID', () => push(signature(), { version: '1.0.1' })],
    [
      'a signature for another organization',
      'BUNDLE_SIGNATURE_INVALID',
      () => push(signature({ organizationId: 'c0ffee00-0000-4000-8000-000000000000' })),
    ],
    ['a signature of zeros', 'BUNDLE_SIGNATURE_INVALID', () => push({ ...signature(), value: Buffer.alloc(64).toString('base64') })],
  ] as const)('%s: %s', async ([, code, work]) => {
    await register();
    await demandSignatures();
    expect(await codeOf(work())).toBe(code);
    expect(inspections).toBe(0);
    expect(await listBundles(registry.db)).toEqual([]);
  });
});

test('a wrong signature is refused also where none is required', async () => {
  await register();
  expect(await codeOf(push(signature({ version: '9.9.9' })))).toBe('BUNDLE_SIGNATURE_INVALID');
  await push();
  expect((await listBundles(registry.db))[0]?.signedBy).toBe(null);
});

test('a version that came unsigned is signed by pushing it again, and stays signed', async () => {
  await register();
  await push();
  const again = await push(signature());
  expect(again.changes[0]).toMatchObject({
    action: 'update',
    differences: [{ field: 'signedBy', from: 'nobody', to: fingerprintOf(pair.publicKey) }],
  });
  expect((await push(signature())).changes.every(({ action }) => action === 'unchanged')).toBe(true);
  expect((await push()).changes.every(({ action }) => action === 'unchanged')).toBe(true);
  expect((await listBundles(registry.db))[0]?.signedBy).toBe('release key');
});

test('a revoked key signs nothing any more, not even what it signed before, and cannot come back', async () => {
  const { id } = await register();
  await push(signature());
  await revokeSigningKey(registry.deps, id, operator);
  expect(await codeOf(push(signature()))).toBe('SIGNING_KEY_REVOKED');
  expect(await codeOf(register())).toBe('SIGNING_KEY_EXISTS');
  expect(await codeOf(revokeSigningKey(registry.deps, id, operator))).toBe('RECORD_NOT_FOUND');
  expect(await listSigningKeys(registry.db)).toMatchObject([{ id, revokedOn: expect.any(String) as unknown }]);
  expect((await listBundles(registry.db))[0]?.signedBy).toBe('release key');
});

test('a key that is revoked while its bundle is inspected does not get it stored', async () => {
  const { id } = await register();
  const revoking = {
    ...registry.deps,
    inspect: async (...given: Parameters<Registry['deps']['inspect']>) => {
      await revokeSigningKey(registry.deps, id, operator);
      return await registry.deps.inspect(...given);
    },
  };
  const work = pushBundle(revoking, { ...upload('1.0.0', { code: CODE }), signature: signature() }, operator, { plan: false });
  expect(await codeOf(work)).toBe('SIGNING_KEY_REVOKED');
  expect(await listBundles(registry.db)).toEqual([]);
});

test.for([
  ['a private key', (): string => String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))],
  ['a key of another kind', (): string => pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)],
  ['an ed448 key', (): string => pemOf(generateKeyPairSync('ed448').publicKey)],
  ['no key', (): string => 'ssh-ed25519 AAAA'],
  ['an empty text', (): string => ''],
] as const)('%s cannot be registered', async ([, publicKey]) => {
  expect(await codeOf(registerSigningKey(registry.deps, { name: 'k', publicKey: publicKey() }, operator))).toBe('SIGNING_KEY_INVALID');
  expect(await listSigningKeys(registry.db)).toEqual([]);
});

test('keys and the duty to sign are in the audit log, newest first, by pages and by object', async () => {
  const { id } = await register();
  await demandSignatures();
  await revokeSigningKey(registry.deps, id, operator);
  const rows = await readAudit(registry.db, { top: 10 });
  expect(rows.map(({ action }) => action)).toEqual(['revoke-signing-key', 'patch', 'register-signing-key']);
  expect(rows[1]?.changes).toEqual([{ field: 'requireSignature', from: false, to: true }]);
  expect(await readAudit(registry.db, { top: 10, before: rows[0]?.id })).toEqual(rows.slice(1));
  expect(await readAudit(registry.db, { top: 1, objectType: 'signingkey', objectId: id })).toEqual(rows.slice(0, 1));
  expect(await readAudit(registry.db, { top: 10, objectType: 'table' })).toEqual([]);
});
