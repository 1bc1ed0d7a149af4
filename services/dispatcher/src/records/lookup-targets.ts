import type { Attributes, EntityReference, UserId } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { type SQL, sql } from 'drizzle-orm';
import { isPolymorphic, tableName } from '../metadata/physical.ts';
import { platformTables } from '../metadata/platform-tables.ts';
import { primaryIdOf } from '../metadata/system-columns.ts';
import type { Table } from '../metadata/table.ts';
import type { Queryable } from '../store/queryable.ts';
import { lookupTargetMissing } from './translate-database-error.ts';
import { parameter } from './values.ts';

/** A target that no foreign key watches over: the write checks and locks it in its own statement. */
export interface CheckedTarget {
  readonly column: string;
  readonly reference: EntityReference;
  readonly cte: string;
  readonly lock: SQL;
}

const platformNames: ReadonlySet<string> = new Set(platformTables.map((table) => table.logicalName));

/**
 * Polymorphic lookups can have no foreign key. `ownerid` has none either: every insert would then lock the owner's one row
 * again, and users are never deleted; the actor is known to exist.
 */
export function targetsToCheck(table: Table, attributes: Attributes, actor: UserId): readonly CheckedTarget[] {
  return Object.entries(attributes).flatMap(([name, value], position) => {
    const column = table.columns.get(name);
    if (column?.type !== 'lookup' || value === null) return [];
    const reference = value as EntityReference;
    const isOwner = name === 'ownerid';
    if (!isPolymorphic(column) && !(isOwner && reference.id !== actor)) return [];
    const inPlatform = platformNames.has(reference.logicalName);
    const place = tableName({ schema: inPlatform ? 'airlock' : 'data', logicalName: reference.logicalName });
    const row = sql`select 1 from ${place} where ${sql.identifier(primaryIdOf(reference.logicalName))} = ${parameter(reference.id, 'uuid')}`;
    return [{ column: name, reference, cte: `target${position}`, lock: inPlatform ? row : sql`${row} for key share` }];
  });
}

export const existenceOf = ({ cte }: CheckedTarget): SQL => sql`exists (select from ${sql.identifier(cte)})`;

/** The error for a write that changed nothing because of a target; finds which. */
export async function missingTarget(db: Queryable, targets: readonly CheckedTarget[]): Promise<PlatformError> {
  for (const { column, reference, lock } of targets) {
    const rows = await db.query(lock);
    if (rows.length === 0) return lookupTargetMissing(column, reference);
  }
  return new PlatformError('TRANSACTION_CONFLICT', { reason: 'a row that the statement depends on changed at the same time' });
}
