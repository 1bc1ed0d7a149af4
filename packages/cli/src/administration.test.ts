import { createPublicKey, verify } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signedText } from '@airlock/protocol';
import { expect, test } from 'vitest';
import { ORGANIZATION_ID, startContractServer } from './testing/contract-server.ts';
import { makeProject } from './testing/make-project.ts';
import { airlock, at } from './testing/run-airlock.ts';

test('bundles are listed with who signed them, and removed by name and version once that was confirmed', async () => {
  await using server = await startContractServer();
  const env = at(server);
  expect((await airlock(['bundles', 'list'], { env })).out).toContain('current  @test/plugin  1.0.0    2      (unsigned)');
  expect((await airlock(['bundles', 'remove', '@test/plugin'], { env, answer: false })).out).toBe('Nothing was changed.');
  expect((await airlock(['bundles', 'remove', '@test/plugin@1.0.0'], { env, answer: true })).questions).toEqual(['Remove @test/plugin 1.0.0?']);
  expect((await airlock(['bundles', 'remove', '@test/plugin', '--yes', '--json'], { env })).code).toBe(0);
  expect(server.seen.slice(1)).toEqual([
    'DELETE /api/airlock/v1/bundles?name=%40test%2Fplugin&version=1.0.0',
    'DELETE /api/airlock/v1/bundles?name=%40test%2Fplugin',
  ]);
});

test('users and keys are made and revoked; a new key is the only thing on standard output', async () => {
  await using server = await startContractServer();
  const env = at(server);
  expect((await airlock(['users', 'create', 'Ada', '--role', 'author', '--email', 'a@b.example'], { env })).out).toBe('id of author');
  const userId = '0195d3a0-0000-7000-8000-000000000001';
  const made = await airlock(['keys', 'create', userId, '--name', 'ci', '--days', '30'], { env });
  expect([made.out, made.notes]).toEqual(['alk_secret', 'Key k, valid until in 30 days. It is shown this once:']);
  await airlock(['keys', 'revoke', 'k/..'], { env });
  await airlock(['signing-keys', 'revoke', 'k1'], { env });
  expect(server.seen.slice(2)).toEqual(['DELETE /api/airlock/v1/keys/k%2F..', 'DELETE /api/airlock/v1/signing-keys/k1']);
});

test('a signing key is generated for its owner only, and never over another', async () => {
  await using project = await makeProject();
  const { out } = await airlock(['keys', 'generate-signing', 'release.key', '--json'], { cwd: project.dir });
  const { fingerprint } = JSON.parse(out) as { fingerprint: string };
  expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect((await stat(join(project.dir, 'release.key'))).mode & 0o777).toBe(0o600);
  const before = await readFile(join(project.dir, 'release.key'), 'utf8');
  expect((await airlock(['keys', 'generate-signing', 'release.key'], { cwd: project.dir })).code).toBe(2);
  expect(await readFile(join(project.dir, 'release.key'), 'utf8')).toBe(before);
});

test('the public half is registered; the private one does not leave the machine', async () => {
  await using server = await startContractServer();
  await using project = await makeProject();
  const situation = { cwd: project.dir, env: at(server) };
  await airlock(['keys', 'generate-signing', 'release.key'], situation);
  expect((await airlock(['signing-keys', 'add', 'release.key', '--name', 'x'], situation)).notes).toContain('is a private key');
  expect((await airlock(['signing-keys', 'add', 'none.pub', '--name', 'x'], situation)).code).toBe(2);
  expect(server.seen).toEqual([]);
  expect((await airlock(['signing-keys', 'add', 'release.key.pub', '--name', 'mine'], situation)).out).toContain('mine is registered: ffff');
  expect((await airlock(['signing-keys', 'list'], situation)).out).toContain('valid  release');
});

test.for([
  ['of the server', [], ORGANIZATION_ID],
  ['of the command line', ['--organization', '0195d3a0-0000-7000-8000-0000000000BB'], '0195d3a0-0000-7000-8000-0000000000bb'],
] as const)('push --sign signs code, name and version for the organization %s', async ([, options, organizationId]) => {
  await using server = await startContractServer();
  await using project = await makeProject();
  const situation = { cwd: project.dir, env: at(server) };
  const { out } = await airlock(['keys', 'generate-signing', 'release.key', '--json'], situation);
  expect((await airlock(['push', '--yes', '--sign', 'release.key', ...options], situation)).code).toBe(0);
  const { signature } = server.uploaded ?? {};
  const { digest } = JSON.parse((await airlock(['build', '--json'], situation)).out) as { digest: string };
  const text = signedText({ digest, organizationId, name: '@test/plugin', version: '1.0.0' });
  const publicKey = createPublicKey(await readFile(join(project.dir, 'release.key.pub')));
  expect(signature?.key).toBe((JSON.parse(out) as { fingerprint: string }).fingerprint);
  expect(verify(null, Buffer.from(text), publicKey, Buffer.from(signature?.value ?? '', 'base64'))).toBe(true);
});

test.for([
  ['is not there', undefined],
  ['is no key', 'secret words'],
] as const)('a file for --sign that %s is named, not quoted, and nothing is sent', async ([, text]) => {
  await using server = await startContractServer();
  await using project = await makeProject();
  if (text !== undefined) await writeFile(join(project.dir, 'k'), text);
  const { code, notes } = await airlock(['push', '--yes', '--sign', 'k'], { cwd: project.dir, env: at(server) });
  expect(code).toBe(2);
  expect(notes).toContain(join(project.dir, 'k'));
  expect(notes).not.toContain('secret words');
  expect(server.seen).toEqual([]);
});
