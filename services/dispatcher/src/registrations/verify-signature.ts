import { createPublicKey, verify } from 'node:crypto';
import { type BundleSignature, PlatformError, signedText } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Queryable } from '../store/queryable.ts';
import type { CheckedBundle } from './check-bundle.ts';

/** A signature that was verified, for the row of the version. */
export interface VerifiedSignature {
  readonly keyId: string;
  readonly fingerprint: string;
  readonly value: string;
}

const KeyRow = z.object({ signingkeyid: z.string(), name: z.string(), publickey: z.string(), revokedon: z.string().nullable() });
const OrganizationRow = z.object({ organizationid: z.string(), requiresignature: z.boolean() });

/**
 * Says whose signature the upload carries; `undefined`: none, and none is required. A signature that is there and wrong is refused
 * even where none is required: it says that something was changed on the way. Inside a transaction, the key cannot be revoked before its end.
 */
export async function verifySignature(
  db: Queryable,
  { manifest, digest }: CheckedBundle,
  signature: BundleSignature | undefined,
): Promise<VerifiedSignature | undefined> {
  const [found] = await db.query(sql`select organizationid, requiresignature from airlock.organization`);
  const { organizationid, requiresignature } = OrganizationRow.parse(found);
  if (signature === undefined) {
    if (requiresignature) throw new PlatformError('BUNDLE_SIGNATURE_MISSING', { bundle: manifest.name });
    return undefined;
  }
  const key = await keyOf(db, signature.key);
  const { name, version } = manifest;
  const text = Buffer.from(signedText({ digest, organizationId: organizationid, name, version }), 'utf8');
  const publicKey = createPublicKey({ key: Buffer.from(key.publickey, 'base64'), format: 'der', type: 'spki' });
  if (verify(null, text, publicKey, Buffer.from(signature.value, 'base64'))) {
    return { keyId: key.signingkeyid, fingerprint: signature.key, value: signature.value };
  }
  throw new PlatformError('BUNDLE_SIGNATURE_INVALID', { digest, organization: organizationid, bundle: name, version, key: signature.key });
}

async function keyOf(db: Queryable, fingerprint: string): Promise<z.output<typeof KeyRow>> {
  const [row] = await db.query(sql`
    select signingkeyid, name, publickey, revokedon from airlock.signingkey where fingerprint = ${fingerprint} for share`);
  if (row === undefined) throw new PlatformError('SIGNING_KEY_UNKNOWN', { key: fingerprint });
  const key = KeyRow.parse(row);
  if (key.revokedon !== null) throw new PlatformError('SIGNING_KEY_REVOKED', { key: fingerprint, name: key.name });
  return key;
}
