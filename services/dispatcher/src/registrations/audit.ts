import { sql } from 'drizzle-orm';
import type { Caller } from '../execute-message/message.ts';
import type { Queryable } from '../store/queryable.ts';

/** Somewhere a change and its audit row can be written together. `PlatformDatabase` is one. */
export interface Transactional extends Queryable {
  inTransaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
}

/** Who changes something, and the trace in which that happened. */
export interface AuditedCaller extends Caller {
  readonly traceId?: string;
}

type AuditAction =
  | 'push'
  | 'patch'
  | 'set-secure-configuration'
  | 'remove'
  | 'create'
  | 'define'
  | 'issue-key'
  | 'revoke-key'
  | 'register-signing-key'
  | 'revoke-signing-key'
  | 'rewrap-data-keys'
  | 'grant-egress'
  | 'revoke-egress';

export interface AuditEntry {
  readonly action: AuditAction;
  readonly objectType: 'pluginassembly' | 'sdkmessageprocessingstep' | 'organization' | 'systemuser' | 'apikey' | 'signingkey' | 'datakey' | 'table';
  readonly objectId: string;
  readonly objectName: string;
  /** Never a secret: of a secure configuration only that it changed. */
  readonly changes: unknown;
}

/** In the transaction of the change itself: neither exists without the other. */
export async function audit(tx: Queryable, by: AuditedCaller, entry: AuditEntry): Promise<void> {
  // Through text: the driver would take a JSON parameter for a JSON string and quote it again.
  await tx.query(sql`
    insert into airlock.auditlog (systemuserid, action, objecttype, objectid, objectname, changes, traceid)
    values (${by.authenticatedUserId}::uuid, ${entry.action}, ${entry.objectType}, ${entry.objectId}, ${entry.objectName},
      ${JSON.stringify(entry.changes)}::text::jsonb, ${by.traceId ?? null})`);
}

/** Tells every dispatcher that its registrations are behind; the last statement of a change, because it locks the row. */
export async function raiseRegistrationVersion(tx: Queryable): Promise<void> {
  await tx.query(sql`update airlock.organization set registrationversion = registrationversion + 1, modifiedon = now()`);
}
