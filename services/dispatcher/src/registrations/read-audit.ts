import { AuditRow } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import type { AuditQuery } from '../http/airlock-api.ts';
import type { Queryable } from '../store/queryable.ts';

/** Newest first. Ids are made in the order of time, so they are the order and the place to go on from. */
export async function readAudit(db: Queryable, { objectType, objectId, top, before }: AuditQuery): Promise<readonly AuditRow[]> {
  const rows = await db.query(sql`
    select auditlogid as id, createdon as "on", systemuserid as "userId", action, objecttype as "objectType", objectid as "objectId",
      objectname as "objectName", changes, traceid as "traceId"
    from airlock.auditlog
    where (${objectType ?? null}::text is null or objecttype = ${objectType ?? null}) and (${objectId ?? null}::text is null or objectid = ${objectId ?? null})
      and (${before ?? null}::uuid is null or auditlogid < ${before ?? null}::uuid)
    order by auditlogid desc limit ${top}`);
  return rows.map((row) => AuditRow.parse(row));
}
