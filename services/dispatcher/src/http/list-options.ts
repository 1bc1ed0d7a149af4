import type { JsonValue } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import type { Column, Table } from '../metadata/table.ts';
import type { OrderBy, RecordQuery } from '../records/record-query.ts';
import { notImplemented } from './data-request.ts';
import { type FilterNames, parseFilter } from './filter.ts';
import { columnOf } from './property-name.ts';

const MAX_SELECTED = 1_024;
const KNOWN = new Set(['$select', '$filter', '$orderby', '$top', '$count', '$skiptoken']);
const LATER = new Set(['$expand', '$apply', 'fetchXml', 'savedQuery', 'userQuery', '$search', '$compute']);

/** Refuses what would silently change the meaning of the answer when ignored. Other names (`tag`, `api-version`) pass. */
export function checkOptionNames(options: ReadonlyMap<string, string>): void {
  for (const name of options.keys()) {
    if (LATER.has(name)) throw notImplemented(`the query option ${name}`);
    if (name.startsWith('$') && !KNOWN.has(name)) {
      throw new PlatformError('INVALID_ARGUMENT', { problem: `The query option '${name.slice(0, 64)}' is not supported.` });
    }
  }
}

/** The columns of `$select` in its order; `undefined`: all. */
export function parseSelect(text: string | undefined, table: Table): readonly Column[] | undefined {
  const names = namesOf(text);
  if (names.length === 0 || names.includes('*')) return undefined;
  return [...new Set(names.map((name) => columnOf(table, name)))];
}

export function parseOrderBy(text: string | undefined, table: Table): readonly OrderBy[] {
  return namesOf(text).map((part) => {
    const [property = '', direction = 'asc', ...rest] = part.split(/\s+/);
    if (rest.length > 0 || (direction !== 'asc' && direction !== 'desc')) {
      throw new PlatformError('INVALID_ARGUMENT', { problem: `The $orderby term '${part.slice(0, 128)}' must be a column, asc or desc.` });
    }
    return { column: columnOf(table, property).logicalName, descending: direction === 'desc' };
  });
}

export function parseTop(text: string | undefined, limit: number): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text.trim()))
    throw new PlatformError('INVALID_ARGUMENT', { problem: `$top must be a whole number, not '${text.slice(0, 32)}'.` });
  const top = Number(text);
  if (top > limit) throw new PlatformError('PAGE_TOO_LARGE', { limit, asked: top });
  return top;
}

export function parseCount(text: string | undefined): boolean {
  const value = text?.trim() ?? 'false';
  if (value !== 'true' && value !== 'false') throw new PlatformError('INVALID_ARGUMENT', { problem: '$count must be true or false.' });
  return value === 'true';
}

/** `$filter` and `$orderby` as a query over the table. */
export function queryOf(options: ReadonlyMap<string, string>, table: Table): Pick<RecordQuery, 'filter' | 'orderBy'> {
  const filter = options.get('$filter')?.trim();
  const orderBy = parseOrderBy(options.get('$orderby'), table);
  return {
    ...(filter === undefined || filter === '' ? {} : { filter: parseFilter(filter, filterNamesOf(table)) }),
    ...(orderBy.length === 0 ? {} : { orderBy }),
  };
}

export function filterNamesOf(table: Table): FilterNames {
  return {
    column: (property) => columnOf(table, property).logicalName,
    value: (column, value) => (table.columns.get(column)?.type === 'datetime' ? withTime(value) : value),
  };
}

/** `createdon ge 2026-01-31` means the beginning of that day, and a time without an offset is UTC. */
function withTime(value: JsonValue): JsonValue {
  if (typeof value !== 'string') return value;
  if (/^\d{4}-\d{2}-\d{2}$/.test(value)) return `${value}T00:00:00Z`;
  return /T[\d:.]+$/.test(value) ? `${value}Z` : value;
}

function namesOf(text: string | undefined): readonly string[] {
  const names = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length > MAX_SELECTED) throw new PlatformError('INVALID_ARGUMENT', { problem: `A list of columns holds at most ${MAX_SELECTED} names.` });
  return names;
}
