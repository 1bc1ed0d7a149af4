import type { UserId } from '@airlock/pipeline';
import type { NewUser } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import type { Queryable } from '../store/queryable.ts';
import { ROOT_BUSINESS_UNIT_ID } from '../store/well-known.ts';

/** One INSERT; answers the new user's id. */
export async function createUser(db: Queryable, { fullname, internalemailaddress, role }: NewUser, by: UserId): Promise<UserId> {
  const [row] = await db.query(sql`
    insert into airlock.systemuser (fullname, internalemailaddress, role, businessunitid, createdby, modifiedby)
    values (${fullname}, ${internalemailaddress ?? null}, ${role}, ${ROOT_BUSINESS_UNIT_ID}, ${by}, ${by}) returning systemuserid`);
  // Postgres made it: a uuid.
  return String(row?.['systemuserid']) as UserId;
}
