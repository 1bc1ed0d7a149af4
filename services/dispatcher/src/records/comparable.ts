import type { AttributeValue } from '@airlock/pipeline';
import { type SQL, sql } from 'drizzle-orm';
import { TEXT_COLLATION } from '../metadata/physical.ts';
import type { Column, Table } from '../metadata/table.ts';
import { valueParameter } from './values.ts';

/**
 * Text compares without regard to case, as in Dataverse: lower case under one fixed collation on both sides. Chosen over a
 * case-insensitive collation because LIKE, ranges and unique keys then all use plain indexes of the same expression.
 */
const folded = (text: SQL): SQL => sql`lower(${text} collate ${sql.identifier(TEXT_COLLATION)})`;

export const isText = (column: Column): boolean => column.type === 'string' || column.type === 'memo';

/** A column as comparisons see it; to the letter the expression of the indexes that `plan-table.ts` makes. */
export function comparable(table: Table, column: Column): SQL {
  const name = sql`${sql.identifier(column.logicalName)}`;
  if (!isText(column)) return name;
  // The platform's own tables have columns that are '' where a record has null.
  return folded(table.schema === 'airlock' ? sql`nullif(${name}, '')` : name);
}

export const comparableParameter = (column: Column, value: AttributeValue): SQL =>
  isText(column) ? folded(valueParameter(column, value)) : valueParameter(column, value);

export const isEmpty = (table: Table, column: Column): SQL =>
  isText(column) && table.schema === 'airlock'
    ? sql`coalesce(${sql.identifier(column.logicalName)}, '') = ''`
    : sql`${sql.identifier(column.logicalName)} is null`;
