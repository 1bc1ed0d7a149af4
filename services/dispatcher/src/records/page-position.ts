import type { AttributeValue, Entity, EntityReference } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Column, Metadata, Table } from '../metadata/table.ts';
import { coerceValue, parseUuid } from './coerce-value.ts';
import { comparable, comparableParameter } from './comparable.ts';

/** One criterion of an order; the row id is always the last, so that no two rows are equal. */
export interface SortKey {
  readonly column: Column;
  readonly descending: boolean;
}

const tokenSchema = z.strictObject({
  order: z.string().max(4_096),
  after: z
    .array(z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .min(1)
    .max(32),
});

const orderText = (keys: readonly SortKey[]): string => keys.map(({ column, descending }) => `${descending ? '-' : ''}${column.logicalName}`).join();

/** Empty is the lowest value, as in Dataverse. */
export const orderClause = (table: Table, keys: readonly SortKey[]): SQL =>
  sql.join(
    keys.map(({ column, descending }) => sql`${comparable(table, column)} ${descending ? sql`desc nulls last` : sql`asc nulls first`}`),
    sql`, `,
  );

/** Where the next page begins: after the row whose sort values these are. Opaque to clients, checked when it comes back. */
export function skipTokenAfter(keys: readonly SortKey[], row: Entity): string {
  const after = keys.map(({ column }) => {
    const value = row.attributes[column.logicalName] ?? null;
    return typeof value === 'object' && value !== null ? (value as EntityReference).id : value;
  });
  return Buffer.from(JSON.stringify({ order: orderText(keys), after })).toString('base64url');
}

const refusal = (problem: string) => new PlatformError('INVALID_ARGUMENT', { problem: `The skip token is not valid: ${problem}.` });

/** The condition that leaves out every row up to the one that the token names. */
export function afterSkipToken(metadata: Metadata, table: Table, keys: readonly SortKey[], token: string): SQL {
  const parsed = tokenSchema.safeParse(readToken(token));
  if (!parsed.success) throw refusal('it is not one that this server made');
  const { order, after } = parsed.data;
  if (order !== orderText(keys) || after.length !== keys.length) throw refusal('it belongs to a query with another order');
  const values = keys.map(({ column }, position) => {
    const id = column.type === 'lookup' ? parseUuid(after[position]) : undefined;
    return id ?? coerceValue({ metadata, table, column, purpose: 'compare' }, after[position]);
  });
  // (a > x) or (a = x and b > y) or (a = x and b = y and c > z), with empty as the lowest value.
  const alternatives = keys.map((key, position) => {
    const equal = keys.slice(0, position).map((earlier, index) => equalTo(table, earlier, values[index] ?? null));
    return sql`(${sql.join([...equal, beyond(table, key, values[position] ?? null)], sql` and `)})`;
  });
  return sql`(${sql.join(alternatives, sql` or `)})`;
}

function readToken(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

const equalTo = (table: Table, { column }: SortKey, value: AttributeValue): SQL =>
  value === null ? sql`${comparable(table, column)} is null` : sql`${comparable(table, column)} = ${comparableParameter(column, value)}`;

function beyond(table: Table, { column, descending }: SortKey, value: AttributeValue): SQL {
  const own = comparable(table, column);
  if (value === null) return descending ? sql`false` : sql`${own} is not null`;
  const bound = comparableParameter(column, value);
  return descending ? sql`(${own} < ${bound} or ${own} is null)` : sql`${own} > ${bound}`;
}
