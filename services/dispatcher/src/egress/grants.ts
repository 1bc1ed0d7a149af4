import { EgressGrant, EgressTarget, type NewEgressGrant, PlatformError } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { type AuditedCaller, audit, type Transactional } from '../registrations/audit.ts';
import { lockStep } from '../registrations/patch-step.ts';
import type { Queryable } from '../store/queryable.ts';
import { canonicalHost } from './target.ts';

/** As many as travel with one order. */
const MAX_GRANTS = 256;

const columns = sql`egressgrantid as id, sdkmessageprocessingstepid as "stepId", scheme, host, port, array_to_string(methods, ',') as methods,
  to_char(createdon at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "createdOn", createdby as "createdBy"`;
const methodList = z.string().transform((text) => text.split(','));
const Row = z.looseObject({ methods: methodList });

/** Lets a step reach one host by some methods. Counts for the next request. */
export async function grantEgress(db: Transactional, stepId: string, request: NewEgressGrant, by: AuditedCaller): Promise<EgressGrant> {
  const { scheme } = request;
  const host = canonicalHost(request.host);
  const port = request.port ?? (scheme === 'https' ? 443 : 80);
  const methods = [...new Set(request.methods)];
  return await db.inTransaction(async (tx) => {
    const step = await lockStep(tx, stepId);
    const [counted] = await tx.query(sql`
      select count(*)::integer as count from airlock.egressgrant where sdkmessageprocessingstepid = ${step.id}::uuid`);
    if (Number(counted?.['count']) >= MAX_GRANTS) {
      throw new PlatformError('INVALID_ARGUMENT', { problem: `the step has ${MAX_GRANTS} egress grants, which is the most that one may have` });
    }
    const [row] = await tx.query(sql`
      insert into airlock.egressgrant (sdkmessageprocessingstepid, scheme, host, port, methods, createdby)
      values (${step.id}::uuid, ${scheme}, ${host}, ${port}, string_to_array(${methods.join(',')}, ','), ${by.userId}::uuid)
      on conflict do nothing returning ${columns}`);
    if (row === undefined) throw new PlatformError('EGRESS_GRANT_EXISTS', { step: step.name, target: `${scheme}://${host}:${port}` });
    await audit(tx, by, {
      action: 'grant-egress',
      objectType: 'sdkmessageprocessingstep',
      objectId: step.id,
      objectName: step.name,
      changes: { scheme, host, port, methods },
    });
    return EgressGrant.parse(Row.parse(row));
  });
}

export async function listGrants(db: Queryable, stepId: string): Promise<readonly EgressGrant[]> {
  const rows = await db.query(sql`
    select ${columns} from airlock.egressgrant where sdkmessageprocessingstepid = ${stepId}::uuid order by createdon, egressgrantid`);
  return rows.map((row) => EgressGrant.parse(Row.parse(row)));
}

export async function revokeGrant(db: Transactional, stepId: string, grantId: string, by: AuditedCaller): Promise<void> {
  await db.inTransaction(async (tx) => {
    const step = await lockStep(tx, stepId);
    const [row] = await tx.query(sql`
      delete from airlock.egressgrant where egressgrantid = ${grantId}::uuid and sdkmessageprocessingstepid = ${step.id}::uuid returning ${columns}`);
    if (row === undefined) throw new PlatformError('RECORD_NOT_FOUND', { table: 'Egress grant', id: grantId });
    const { scheme, host, port, methods } = EgressGrant.parse(Row.parse(row));
    const changes = { scheme, host, port, methods };
    await audit(tx, by, { action: 'revoke-egress', objectType: 'sdkmessageprocessingstep', objectId: step.id, objectName: step.name, changes });
  });
}

/** Asked for every request: what was revoked a moment ago no longer counts. */
export async function targetsOf(db: Queryable, stepId: string): Promise<readonly EgressTarget[]> {
  const rows = await db.query(sql`
    select scheme, host, port, array_to_string(methods, ',') as methods from airlock.egressgrant
    where sdkmessageprocessingstepid = ${stepId}::uuid limit ${MAX_GRANTS}`);
  return rows.map((row) => EgressTarget.parse(Row.parse(row)));
}
