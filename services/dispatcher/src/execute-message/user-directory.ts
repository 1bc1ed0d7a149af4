import type { UserId } from '@airlock/pipeline';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { createExpiringMap } from '../access/expiring-map.ts';
import { type Role, roles } from '../metadata/table.ts';
import type { Queryable } from '../store/queryable.ts';
import { SYSTEM_USER_ID } from '../store/well-known.ts';

export interface KnownUser {
  readonly userId: UserId;
  readonly fullname: string;
  readonly role: Role;
  readonly isDisabled: boolean;
}

const UserRow = z.object({ fullname: z.string().nullable(), role: z.enum(roles), isdisabled: z.boolean() });
/** A change of a user (role, disabled) counts after at most so long. */
const TTL_MS = 2_000;
const MAX_CACHED = 10_000;

/** Users that steps run as. */
export class UserDirectory {
  readonly #db: Queryable;
  readonly #known = createExpiringMap<KnownUser>({ ttlMs: TTL_MS, maxEntries: MAX_CACHED });

  constructor(db: Queryable) {
    this.#db = db;
  }

  /** `undefined`: there is no such user. */
  async find(userId: UserId): Promise<KnownUser | undefined> {
    if (userId === SYSTEM_USER_ID) return { userId, fullname: 'SYSTEM', role: 'operator', isDisabled: false };
    const cached = this.#known.get(userId, performance.now());
    if (cached !== undefined) return cached;
    const [row] = await this.#db.query(sql`select fullname, role, isdisabled from airlock.systemuser where systemuserid = ${userId}`);
    if (row === undefined) return undefined;
    const { fullname, role, isdisabled } = UserRow.parse(row);
    const user: KnownUser = { userId, fullname: fullname ?? userId, role, isDisabled: isdisabled };
    this.#known.set(userId, user, performance.now());
    return user;
  }
}
