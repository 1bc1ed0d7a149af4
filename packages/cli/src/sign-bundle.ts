import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type BundleSignature, type SignedBundle, signedText } from '@airlock/protocol';
import { z } from 'zod';
import type { BuiltBundle } from './build-bundle.ts';
import { type Connection, callApi } from './call-api.ts';
import type { Options } from './options.ts';
import { UsageError } from './usage-error.ts';
import { digestOf } from './write-bundle.ts';

const Whoami = z.object({ OrganizationId: z.guid() });

/** How a key is named: SHA-256 of its public part's SPKI form. */
export function fingerprintOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** Throws for a key that is not ed25519, without quoting it. */
export function signBundle(about: SignedBundle, privateKey: KeyObject): BundleSignature {
  const value = sign(null, Buffer.from(signedText(about), 'utf8'), privateKey).toString('base64');
  return { key: fingerprintOf(createPublicKey(privateKey)), value };
}

/** What `--sign` asks for. The organization is what `--organization` says, else the server's own word. */
export async function signatureFor(
  bundle: Pick<BuiltBundle, 'manifest' | 'code'>,
  connection: Connection,
  { sign: file, organization }: Options,
  cwd: string,
): Promise<BundleSignature | undefined> {
  if (file === undefined) return undefined;
  const privateKey = await readPrivateKey(resolve(cwd, file));
  const organizationId = organization ?? (await callApi(connection, { method: 'GET', path: '/api/data/v9.2/WhoAmI' }, Whoami)).OrganizationId;
  const { name, version } = bundle.manifest;
  return signBundle({ digest: digestOf(bundle), organizationId, name, version }, privateKey);
}

async function readPrivateKey(path: string): Promise<KeyObject> {
  const pem = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`--sign: ${path} cannot be read. "airlock keys generate-signing ${path}" makes a key.`);
  });
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new UsageError(`--sign: ${path} is not a private key in PEM form without a passphrase.`);
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new UsageError(`--sign: ${path} is a key of type ${key.asymmetricKeyType ?? 'unknown'}; signatures are made by ed25519.`);
}
