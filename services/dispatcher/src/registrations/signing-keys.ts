import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { type NewSigningKey, PlatformError, SigningKey } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Queryable } from '../store/queryable.ts';
import { type AuditedCaller, audit, type Transactional } from './audit.ts';
import { changeTransaction } from './change-transaction.ts';
import { isPlainName } from './plain-text.ts';

const MAX_ROWS = 1_000;
const columns = sql`signingkeyid as id, name, fingerprint, createdon as "createdOn", createdby as "createdBy", revokedon as "revokedOn"`;

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** Refuses private keys too: Node would take the public part out of one, and the author's secret would have travelled. */
function parsePublicKey(pem: string): KeyObject {
  if (pem.includes('PRIVATE')) throw new PlatformError('SIGNING_KEY_INVALID', { problem: 'it is a private key. Keep it, and send the public one.' });
  let key: KeyObject;
  try {
    key = createPublicKey({ key: pem, format: 'pem' });
  } catch {
    throw new PlatformError('SIGNING_KEY_INVALID', { problem: 'send it as PEM ("-----BEGIN PUBLIC KEY-----").' });
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new PlatformError('SIGNING_KEY_INVALID', { problem: `its type is ${key.asymmetricKeyType ?? 'unknown'}.` });
}

export async function registerSigningKey(deps: { readonly db: Transactional }, request: NewSigningKey, by: AuditedCaller): Promise<SigningKey> {
  const { name, publicKey } = request;
  if (!isPlainName(name)) throw new PlatformError('INVALID_ARGUMENT', { problem: 'name holds control characters.' });
  const spki = spkiOf(parsePublicKey(publicKey));
  const fingerprint = createHash('sha256').update(spki).digest('hex');
  return await changeTransaction(deps.db, async (tx) => {
    const [inserted] = await tx.query(sql`
      insert into airlock.signingkey (name, fingerprint, publickey, createdby)
      values (${name}, ${fingerprint}, ${spki.toString('base64')}, ${by.userId}::uuid)
      on conflict (fingerprint) do nothing returning ${columns}`);
    if (inserted === undefined) throw await existsAlready(tx, fingerprint);
    const key = SigningKey.parse(inserted);
    await audit(tx, by, { action: 'register-signing-key', objectType: 'signingkey', objectId: key.id, objectName: name, changes: { fingerprint } });
    return key;
  });
}

async function existsAlready(tx: Queryable, fingerprint: string): Promise<PlatformError> {
  const [known] = await tx.query(sql`select name, revokedon from airlock.signingkey where fingerprint = ${fingerprint}`);
  const { name, revokedon } = z.object({ name: z.string(), revokedon: z.string().nullable() }).parse(known);
  return new PlatformError('SIGNING_KEY_EXISTS', { key: fingerprint, name, state: revokedon === null ? '' : ', and was revoked' });
}

export async function listSigningKeys(db: Queryable): Promise<readonly SigningKey[]> {
  const rows = await db.query(sql`select ${columns} from airlock.signingkey order by createdon, signingkeyid limit ${MAX_ROWS}`);
  return rows.map((row) => SigningKey.parse(row));
}

/** For uploads from now on. What the key signed before goes on running: removing that is a push or a removal of its own. */
export async function revokeSigningKey(deps: { readonly db: Transactional }, id: string, by: AuditedCaller): Promise<void> {
  await changeTransaction(deps.db, async (tx) => {
    const [revoked] = await tx.query(sql`
      update airlock.signingkey set revokedon = now(), revokedby = ${by.userId}::uuid
      where signingkeyid = ${id}::uuid and revokedon is null returning name, fingerprint`);
    if (revoked === undefined) throw new PlatformError('RECORD_NOT_FOUND', { table: 'Signing key', id });
    const { name, fingerprint } = z.object({ name: z.string(), fingerprint: z.string() }).parse(revoked);
    await audit(tx, by, { action: 'revoke-signing-key', objectType: 'signingkey', objectId: id, objectName: name, changes: { fingerprint } });
  });
}
