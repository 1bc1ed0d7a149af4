import type { SQL } from 'drizzle-orm';

export type Row = Readonly<Record<string, unknown>>;

/**
 * Somewhere a statement can run: the pool, or the one connection of an operation's transaction. Values come back as the
 * pipeline wants them: numeric and bigint as number, timestamptz as ISO 8601 with milliseconds in UTC, date as text.
 * Statements of one connection are sent without waiting for each other and answered in order.
 */
export interface Queryable {
  query(statement: SQL): Promise<readonly Row[]>;
}
