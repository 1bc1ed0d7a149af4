import { timingSafeEqual } from 'node:crypto';
import type { UserId } from '@airlock/pipeline';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Caller } from '../execute-message/message.ts';
import { roles } from '../metadata/table.ts';
import type { Queryable } from '../store/queryable.ts';
import { hashOfKey, isWellFormedKey, newApiKey } from './api-key.ts';
import { createExpiringMap } from './expiring-map.ts';

/**
 * Who signs in. A key belongs to one system user and carries no rights of its own. What was looked up is believed for
 * `cacheMs`, so a revocation, an expiry or a disabled user takes effect within that time on every dispatcher.
 */
export type Authentication =
  | { readonly ok: true; readonly keyId: string; readonly caller: Caller }
  | { readonly ok: false; readonly reason: 'malformed' | 'unknown' | 'expired' | 'revoked' | 'user-disabled' };

export interface NewKeyRequest {
  readonly systemuserid: string;
  readonly name: string;
  readonly expiresInDays: number;
  /** The operator who asks; absent when the server issues the first key itself. */
  readonly createdBy?: UserId;
}

export interface KeyStoreOptions {
  readonly nowMs: () => number;
  readonly cacheMs: number;
  readonly maxCached: number;
  readonly lastUsedEveryMs: number;
  /** Told when the time of last use could not be written; nothing else depends on it. */
  readonly onLastUsedFailed: (error: unknown) => void;
}

export interface KeyStore extends AsyncDisposable {
  authenticate(key: string): Promise<Authentication>;
  /** The caller for an impersonated user; `undefined` when there is none or it is disabled. */
  findUser(systemUserId: string): Promise<{ readonly userId: UserId; readonly role: Caller['role'] } | undefined>;
  /** `tx`: where, when it belongs to more. */
  issueKey(request: NewKeyRequest, tx?: Queryable): Promise<{ readonly id: string; readonly key: string; readonly expiresOn: string } | undefined>;
  /** False when there is no such key that is not revoked yet. */
  revokeKey(id: string, tx?: Queryable): Promise<boolean>;
}

const KeyRow = z.object({
  apikeyid: z.string(),
  keyhash: z.string(),
  systemuserid: z.string(),
  expireson: z.string(),
  revokedon: z.string().nullable(),
  isdisabled: z.boolean(),
  cansignin: z.boolean(),
  role: z.enum(roles),
});
type KeyRow = z.output<typeof KeyRow>;
const UserRow = KeyRow.pick({ systemuserid: true, isdisabled: true, cansignin: true, role: true });

const DAY_MS = 86_400_000;

export const defaultKeyStoreOptions = { cacheMs: 5_000, maxCached: 10_000, lastUsedEveryMs: 60_000 } as const;

export function createKeyStore(db: Queryable, options: KeyStoreOptions): KeyStore {
  const { nowMs, cacheMs, maxCached } = options;
  // Promises are cached, so that a burst of requests with one key asks once.
  const cached = createExpiringMap<Promise<KeyRow | undefined>>({ ttlMs: cacheMs, maxEntries: maxCached });
  const lastUsed = createLastUsed(db, options);

  const rowOf = (hash: string): Promise<KeyRow | undefined> => {
    const known = cached.get(hash, nowMs());
    if (known !== undefined) return known;
    const row = selectKey(db, hash);
    cached.set(hash, row, nowMs());
    // A failed look-up must not be believed for seconds.
    row.catch(() => cached.deleteIf(hash, row));
    return row;
  };

  return {
    async authenticate(key) {
      if (!isWellFormedKey(key)) return { ok: false, reason: 'malformed' };
      const hash = hashOfKey(key);
      const answer = judge(await rowOf(hash), hash, nowMs());
      if (answer.ok) lastUsed.note(answer.keyId);
      return answer;
    },
    async findUser(systemUserId) {
      const [found] = await db.query(
        sql`select systemuserid, isdisabled, cansignin, role from airlock.systemuser where systemuserid = ${systemUserId}::uuid`,
      );
      if (found === undefined) return undefined;
      const user = UserRow.parse(found);
      // The row comes from the table of users.
      return user.isdisabled || !user.cansignin ? undefined : { userId: user.systemuserid as UserId, role: user.role };
    },
    issueKey: (request, tx = db) => insertKey(tx, request, nowMs()),
    async revokeKey(id, tx = db) {
      const [revoked] = await tx.query(
        sql`update airlock.apikey set revokedon = now() where apikeyid = ${id}::uuid and revokedon is null returning keyhash`,
      );
      if (revoked === undefined) return false;
      cached.delete(z.string().parse(revoked['keyhash']));
      return true;
    },
    [Symbol.asyncDispose]: () => lastUsed.flush(),
  };
}

function judge(row: KeyRow | undefined, hash: string, nowMs: number): Authentication {
  // The index found the row by the hash; the comparison that counts takes the same time wherever they differ.
  if (row === undefined || !sameHash(row.keyhash, hash)) return { ok: false, reason: 'unknown' };
  if (row.revokedon !== null) return { ok: false, reason: 'revoked' };
  if (Date.parse(row.expireson) <= nowMs) return { ok: false, reason: 'expired' };
  if (row.isdisabled || !row.cansignin) return { ok: false, reason: 'user-disabled' };
  // The row's foreign key points to the table of users.
  const userId = row.systemuserid as UserId;
  return { ok: true, keyId: row.apikeyid, caller: { userId, authenticatedUserId: userId, role: row.role } };
}

function sameHash(stored: string, hash: string): boolean {
  const [a, b] = [Buffer.from(stored, 'hex'), Buffer.from(hash, 'hex')];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function selectKey(db: Queryable, hash: string): Promise<KeyRow | undefined> {
  const [row] = await db.query(sql`
    select k.apikeyid, k.keyhash, k.systemuserid, k.expireson, k.revokedon, u.isdisabled, u.cansignin, u.role
    from airlock.apikey k join airlock.systemuser u on u.systemuserid = k.systemuserid
    where k.keyhash = ${hash}`);
  return row === undefined ? undefined : KeyRow.parse(row);
}

/** `undefined` when there is no such user, or it may not sign in. */
async function insertKey(db: Queryable, request: NewKeyRequest, nowMs: number) {
  const { prefix, key, hash } = newApiKey();
  const expiresOn = new Date(nowMs + request.expiresInDays * DAY_MS).toISOString();
  const [inserted] = await db.query(sql`
    insert into airlock.apikey (apikeyid, prefix, keyhash, systemuserid, name, createdon, createdby, expireson)
    select gen_random_uuid(), ${prefix}, ${hash}, systemuserid, ${request.name}, now(), ${request.createdBy ?? null}::uuid, ${expiresOn}::timestamptz
    from airlock.systemuser where systemuserid = ${request.systemuserid}::uuid and cansignin
    returning apikeyid`);
  return inserted === undefined ? undefined : { id: z.string().parse(inserted['apikeyid']), key, expiresOn };
}

/** Collects the keys that were used and writes them together, never while a request waits. */
function createLastUsed(db: Queryable, { nowMs, lastUsedEveryMs, maxCached, onLastUsedFailed }: KeyStoreOptions) {
  let used = new Set<string>();
  let flushedAtMs = nowMs();
  const flush = async (): Promise<void> => {
    flushedAtMs = nowMs();
    if (used.size === 0) return;
    const ids = [...used];
    used = new Set();
    const list = sql.join(
      ids.map((id) => sql`${id}::uuid`),
      sql`, `,
    );
    try {
      await db.query(sql`update airlock.apikey set lastusedon = now() where apikeyid in (${list})`);
    } catch (error) {
      onLastUsedFailed(error);
    }
  };
  return {
    flush,
    note(keyId: string): void {
      if (used.size < maxCached) used.add(keyId);
      if (nowMs() - flushedAtMs >= lastUsedEveryMs) void flush();
    },
  };
}
