/** Pushes as authors make them: the command line against the real services, the bundle loaded in a real sandbox. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError, digestOf, pushBundle, signBundle } from '@airlock/cli';
import { pushExample } from '@airlock/local/load-examples';
import { AuditRow, BundleSummary, errorCodes, SigningKey } from '@airlock/protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { buildSource, SDK_IMPORT } from '../support/plugin-bundle.ts';
import { errorOf, usePluginSystem } from '../support/plugin-system.ts';

const system = usePluginSystem();
const PLUGIN = `${SDK_IMPORT}export const nothing = definePlugin({ execute() {} });`;

const codeOf = async (work: Promise<unknown>) =>
  await work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
  );
const api = () => ({ url: system.http.url, token: system.http.token });
const pushSource = async (name: string, source: string) => pushBundle({ ...api(), bundle: await buildSource({ name, version: '1.0.0', source }) });
const organizationId = async () => z.object({ OrganizationId: z.string() }).parse((await system.http.request('GET', 'WhoAmI')).body).OrganizationId;

test('statement 10: a bundle with two plug-in types of one name is refused with their name', async () => {
  const source = `export const a = { typeName: 'Same', execute() {} }; export const b = { typeName: 'Same', execute() {} };`;
  expect(await codeOf(pushSource('twins', source))).toBe(errorCodes.PLUGIN_TYPE_DUPLICATE.code);
  await expect(pushSource('twins', source)).rejects.toThrow('"Same"');
});

test('statement 12: a plug-in without execute, a throw at load and a bundle without types are refused, each with its own code', async () => {
  expect(await codeOf(pushSource('empty', `export const a = { kind: 'airlock.plugin' };`))).toBe(errorCodes.PLUGIN_TYPE_INVALID.code);
  expect(await codeOf(pushSource('thrower', `throw new Error('at load');`))).toBe(errorCodes.BUNDLE_THROWS_AT_LOAD.code);
  expect(await codeOf(pushSource('nothing', `export const x = 1;`))).toBe(errorCodes.BUNDLE_NO_TYPES.code);
});

test('the same code may be two bundles, and a bundle that no step runs can be removed', async () => {
  await pushSource('one', PLUGIN);
  await pushSource('two', PLUGIN);
  const list = async () =>
    z.object({ value: z.array(BundleSummary) }).parse((await system.http.request('GET', '/api/airlock/v1/bundles')).body).value;
  const digests = (await list()).filter(({ name }) => name === 'one' || name === 'two').map(({ digest }) => digest);
  expect(digests).toHaveLength(2);
  expect(new Set(digests).size).toBe(1);
  expect((await system.http.request('DELETE', '/api/airlock/v1/bundles?name=one')).status).toBe(204);
  expect((await list()).map(({ name }) => name)).not.toContain('one');
  const again = await system.http.request('DELETE', '/api/airlock/v1/bundles?name=one');
  expect([again.status, errorOf(again).code]).toEqual([404, errorCodes.RECORD_NOT_FOUND.code]);
});

test('an example that changed under its version is loaded under one of its own, and back again', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'airlock-example-'));
  const said: string[] = [];
  const load = async (text: string) => {
    await writeFile(join(dir, 'index.ts'), text);
    return (await pushExample(api(), dir, (line) => said.push(line))).bundle.version;
  };
  try {
    await writeFile(join(dir, 'package.json'), JSON.stringify({ name: 'example', version: '1.2.0', airlock: { entry: 'index.ts' } }));
    expect(await load('export const a = { execute() {} };')).toBe('1.2.0');
    const changed = await load('export const a = { execute() { return 1; } };');
    expect(changed).toMatch(/^1\.2\.0-dev\.[0-9a-f]{12}$/);
    expect(await load('export const a = { execute() { return 1; } };')).toBe(changed);
    expect(await load('export const a = { execute() {} };')).toBe('1.2.0');
    expect(said).toHaveLength(2);
    expect(said[0]).toContain(changed);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('where signatures are required, only what a registered key signed gets in, and the audit log tells it', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const pem = (key: KeyObject) => String(key.export({ type: 'spki', format: 'pem' }));
  const bundle = await buildSource({ name: 'signed', version: '1.0.0', source: PLUGIN });
  const about = { digest: digestOf(bundle), organizationId: await organizationId(), name: 'signed', version: '1.0.0' };
  const signature = signBundle(about, privateKey);
  expect(await codeOf(pushBundle({ ...api(), bundle, signature }))).toBe(errorCodes.SIGNING_KEY_UNKNOWN.code);
  const registered = await system.http.request('POST', '/api/airlock/v1/signing-keys', { body: { name: 'release', publicKey: pem(publicKey) } });
  const key = SigningKey.parse(registered.body);
  await system.settings({ requireSignature: true });
  try {
    expect(await codeOf(pushBundle({ ...api(), bundle }))).toBe(errorCodes.BUNDLE_SIGNATURE_MISSING.code);
    const tampered = { ...bundle, code: `${bundle.code}\n// added` };
    expect(await codeOf(pushBundle({ ...api(), bundle: tampered, signature }))).toBe(errorCodes.BUNDLE_SIGNATURE_INVALID.code);
    expect((await pushBundle({ ...api(), bundle, signature })).applied).toBe(true);
    expect((await system.http.request('DELETE', `/api/airlock/v1/signing-keys/${key.id}`)).status).toBe(204);
    expect(await codeOf(pushBundle({ ...api(), bundle, signature }))).toBe(errorCodes.SIGNING_KEY_REVOKED.code);
  } finally {
    await system.settings({ requireSignature: false });
  }
  const answer = await system.http.request('GET', '/api/airlock/v1/audit?top=4');
  const rows = z.object({ value: z.array(AuditRow) }).parse(answer.body).value;
  expect(rows.map(({ action, objectName }) => `${action} ${objectName}`)).toEqual([
    'patch Airlock',
    'revoke-signing-key release',
    'push signed@1.0.0',
    'patch Airlock',
  ]);
  expect(rows.every(({ traceId }) => /^[0-9a-f]{32}$/.test(traceId ?? ''))).toBe(true);
});

test('the audit log is for operators, and names who made a key, for whom, and never the key', async () => {
  const author = await system.account('author');
  expect((await author.client.request('GET', '/api/airlock/v1/audit')).status).toBe(403);
  expect((await author.client.request('POST', '/api/airlock/v1/signing-keys', { body: { name: 'x', publicKey: 'y' } })).status).toBe(403);
  const answer = await system.http.request('GET', `/api/airlock/v1/audit?objectType=apikey&objectId=${author.keyId}`);
  const [row] = z.object({ value: z.array(AuditRow) }).parse(answer.body).value;
  expect(row).toMatchObject({ action: 'issue-key', changes: { systemuserid: author.userId } });
  expect(JSON.stringify(answer.body)).not.toContain(author.client.token);
});
