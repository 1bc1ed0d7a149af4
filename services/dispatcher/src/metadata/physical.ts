import { createHash } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import type { Column, ColumnType, Table } from './table.ts';

/** Postgres cuts identifiers after 63 bytes; ours are ASCII. */
export const MAX_IDENTIFIER_CHARS = 63;

/**
 * Collation of everything that compares text: Unicode case mapping, built into Postgres, so that neither the operating
 * system nor an ICU upgrade changes the order under an index. Order is by code point of the lower-case text.
 */
export const TEXT_COLLATION = 'pg_c_utf8';

export const physicalTypes = {
  string: 'text',
  memo: 'text',
  integer: 'integer',
  bigint: 'bigint',
  decimal: 'numeric',
  float: 'double precision',
  money: 'numeric',
  boolean: 'boolean',
  datetime: 'timestamp(3) with time zone',
  date: 'date',
  uuid: 'uuid',
  choice: 'integer',
  multichoice: 'integer[]',
  lookup: 'uuid',
} as const satisfies Record<ColumnType, string>;

export const isPolymorphic = (column: Column): boolean => column.type === 'lookup' && (column.targets?.length ?? 0) > 1;
/** The second physical column of a polymorphic lookup. */
export const targetColumnOf = (column: string): string => `${column}type`;

/** Quoted; only for names that came through the metadata, and the quoting makes even others harmless. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const tableName = (table: Pick<Table, 'schema' | 'logicalName'>): SQL =>
  sql`${sql.identifier(table.schema)}.${sql.identifier(table.logicalName)}`;

/**
 * A name for an index, a constraint or a trigger that can be computed again from what it is about, whatever the lengths. The
 * point is in no logical name: with `_` the column `line_id` of `order` and the column `id` of `order_line` would share one.
 */
export function physicalName(prefix: string, table: string, about: string): string {
  const readable = `${prefix}_${table}.${about}`;
  if (readable.length <= MAX_IDENTIFIER_CHARS) return readable;
  const hash = createHash('sha256').update(`${table}.${about}`).digest('hex').slice(0, 16);
  return `${readable.slice(0, MAX_IDENTIFIER_CHARS - hash.length - 1)}_${hash}`;
}
export const keyIndexName = (table: string, key: string): string => physicalName('uk', table, key);
export const lookupConstraintName = (table: string, column: string): string => physicalName('fk', table, column);
export const primaryKeyName = (table: string): string => physicalName('pk', table, 'id');
