import { z } from 'zod';

/** What a signature of a bundle is about. */
export interface SignedBundle {
  /** SHA-256 of the code's UTF-8 bytes, 64 hexadecimal digits. */
  readonly digest: string;
  /** A signature for one organization is worth nothing in another. */
  readonly organizationId: string;
  readonly name: string;
  readonly version: string;
}

/** The text whose UTF-8 bytes are signed. No part of it can hold a line feed, so no two bundles have one text. */
export function signedText({ digest, organizationId, name, version }: SignedBundle): string {
  return ['airlock bundle signature 1', digest, organizationId.toLowerCase(), name, version].join('\n');
}

/** `key` is the fingerprint: SHA-256 of the public key's SPKI form. `value` is the ed25519 signature of {@link signedText}, base64. */
export const BundleSignature = z.strictObject({
  key: z.string().regex(/^[0-9a-f]{64}$/, 'must be the fingerprint of a key: 64 hexadecimal digits'),
  value: z.string().regex(/^[A-Za-z0-9+/]{86}==$/, 'must be an ed25519 signature: 64 bytes as base64'),
});
export type BundleSignature = z.output<typeof BundleSignature>;
