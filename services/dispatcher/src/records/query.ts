import type { Entity } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { type SQL, sql } from 'drizzle-orm';
import { tableName } from '../metadata/physical.ts';
import type { Metadata, Table } from '../metadata/table.ts';
import type { Queryable } from '../store/queryable.ts';
import { compileFilter } from './compile-filter.ts';
import { afterSkipToken, orderClause, type SortKey, skipTokenAfter } from './page-position.ts';
import { requireColumn, selectedColumns } from './read.ts';
import { MAX_PAGE_ROWS, type OrderBy, type RecordQuery } from './record-query.ts';
import { translateDatabaseError } from './translate-database-error.ts';
import { parameter, physicalColumnList, rowToEntity } from './values.ts';

export interface RecordPage {
  readonly entities: readonly Entity[];
  /** Of all pages; −1 when the query did not ask for it. */
  readonly totalRecordCount: number;
  readonly moreRecords: boolean;
  /** Present when there are more records. */
  readonly skipToken?: string;
}

/** Identifiers come from the metadata, every value is a bound parameter. */
export async function queryRecords(db: Queryable, metadata: Metadata, table: Table, query: RecordQuery): Promise<RecordPage> {
  const top = query.top ?? MAX_PAGE_ROWS;
  if (top > MAX_PAGE_ROWS) throw new PlatformError('PAGE_TOO_LARGE', { limit: MAX_PAGE_ROWS, asked: top });
  const columns = selectedColumns(table, query.columns);
  const keys = sortKeys(table, query.orderBy ?? []);
  const filter = query.filter === undefined ? [] : [compileFilter(metadata, table, query.filter)];
  const position = query.skipToken === undefined ? [] : [afterSkipToken(metadata, table, keys, query.skipToken)];
  const read = new Set([...columns, ...keys.map(({ column }) => column)]);
  const from = tableName(table);
  // One row more than the page tells whether there are more.
  const page = sql`select ${physicalColumnList(read)} from ${from}${where([...filter, ...position])} order by ${orderClause(table, keys)} limit ${parameter(String(top + 1), 'bigint')}`;
  const total = sql`select count(*) as total from ${from}${where(filter)}`;
  try {
    const [rows, counted] = await Promise.all([db.query(page), query.count === true ? db.query(total) : undefined]);
    const moreRecords = rows.length > top;
    const kept = rows.slice(0, top);
    const last = kept.at(-1);
    return {
      entities: kept.map((row) => rowToEntity(table, row, columns)),
      totalRecordCount: counted === undefined ? -1 : Number(counted[0]?.['total']),
      moreRecords,
      ...(moreRecords && last !== undefined ? { skipToken: skipTokenAfter(keys, rowToEntity(table, last)) } : {}),
    };
  } catch (error) {
    throw translateDatabaseError(error, table) ?? error;
  }
}

const where = (conditions: readonly SQL[]): SQL => (conditions.length === 0 ? sql`` : sql` where ${sql.join([...conditions], sql` and `)}`);

function sortKeys(table: Table, orderBy: readonly OrderBy[]): readonly SortKey[] {
  const keys = new Map<string, SortKey>();
  for (const { column: name, descending = false } of orderBy) {
    const column = requireColumn(table, name);
    if (column.type === 'memo' || column.type === 'multichoice') {
      throw new PlatformError('INVALID_ARGUMENT', { problem: `The column "${name}" is of type ${column.type}, which has no order.` });
    }
    if (!keys.has(name)) keys.set(name, { column, descending });
  }
  if (!keys.has(table.primaryIdAttribute))
    keys.set(table.primaryIdAttribute, { column: requireColumn(table, table.primaryIdAttribute), descending: false });
  return [...keys.values()];
}
