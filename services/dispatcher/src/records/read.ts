import type { AttributeValue, Entity } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { type SQL, sql } from 'drizzle-orm';
import { tableName } from '../metadata/physical.ts';
import type { AlternateKey, Column, Metadata, Table } from '../metadata/table.ts';
import type { Queryable } from '../store/queryable.ts';
import { coerceValue } from './coerce-value.ts';
import { comparable, comparableParameter } from './comparable.ts';
import { shownName } from './invalid-value.ts';
import { translateDatabaseError } from './translate-database-error.ts';
import { parameter, physicalColumnList, rowToEntity } from './values.ts';

export interface ReadOptions {
  /** Locks the row until the transaction ends: what is read stays true until it is written. */
  readonly forUpdate?: boolean;
  readonly statementTimeoutMs?: number;
}

/** The columns that were asked for, with the row id and the version always among them; all when nothing was asked for. */
export function selectedColumns(table: Table, names: readonly string[] | undefined): readonly Column[] {
  if (names === undefined) return [...table.columns.values()];
  return [...new Set([table.primaryIdAttribute, ...names, 'versionnumber'])].map((name) => requireColumn(table, name));
}

export function requireColumn(table: Table, name: string): Column {
  const column = table.columns.get(name);
  if (column === undefined) throw new PlatformError('UNKNOWN_COLUMN', { column: shownName(name), table: table.logicalName });
  return column;
}

export async function retrieveRecord(
  db: Queryable,
  table: Table,
  id: string,
  columns: readonly string[] | undefined,
  options: ReadOptions = {},
): Promise<Entity | undefined> {
  const list = physicalColumnList(selectedColumns(table, columns));
  const lock = options.forUpdate === true ? sql` for no key update` : sql``;
  const statement = sql`select ${list} from ${tableName(table)} where ${sql.identifier(table.primaryIdAttribute)} = ${parameter(id, 'uuid')}${lock}`;
  try {
    const [row] = await db.query(statement);
    return row === undefined ? undefined : rowToEntity(table, row);
  } catch (error) {
    throw translateDatabaseError(error, table, options) ?? error;
  }
}

/** The key whose columns are exactly those of `keyValues`, in any order. */
export function findAlternateKey(table: Table, keyValues: Readonly<Record<string, unknown>>): AlternateKey | undefined {
  const names = Object.keys(keyValues).toSorted().join();
  return table.keys.find((key) => key.columns.toSorted().join() === names);
}

/** Compares as the key's index does: text without regard to case. An empty value identifies no row. */
export async function resolveAlternateKey(
  db: Queryable,
  metadata: Metadata,
  table: Table,
  keyValues: Readonly<Record<string, unknown>>,
): Promise<string | undefined> {
  const key = findAlternateKey(table, keyValues);
  if (key === undefined) {
    const names = Object.keys(keyValues).map(shownName).join(', ').slice(0, 300);
    throw new PlatformError('INVALID_ARGUMENT', { problem: `The table "${table.logicalName}" has no alternate key of the columns ${names}.` });
  }
  const conditions = key.columns.map((name): SQL | undefined => {
    const column = requireColumn(table, name);
    const value: AttributeValue = coerceValue({ metadata, table, column, purpose: 'compare' }, keyValues[name]);
    return value === null ? undefined : sql`${comparable(table, column)} = ${comparableParameter(column, value)}`;
  });
  if (conditions.includes(undefined)) return undefined;
  const id = sql.identifier(table.primaryIdAttribute);
  const [row] = await db.query(sql`select ${id} from ${tableName(table)} where ${sql.join(conditions as SQL[], sql` and `)}`);
  return row === undefined ? undefined : (row[table.primaryIdAttribute] as string);
}
