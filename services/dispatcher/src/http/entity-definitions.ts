import { PlatformError } from '@airlock/protocol';
import type { Table } from '../metadata/table.ts';
import type { Filter } from '../records/record-query.ts';
import type { RowKey } from './data-path.ts';
import type { DataRequest, DataServices } from './data-request.ts';
import { type HttpAnswer, JSON_TYPE } from './fault-response.ts';
import { parseFilter } from './filter.ts';
import { checkOptionNames } from './list-options.ts';

/** The part of `EntityDefinitions` that clients ask before their first request: which set a table has. */
const properties = {
  LogicalName: (table: Table) => table.logicalName,
  SchemaName: (table: Table) => table.logicalName,
  EntitySetName: (table: Table) => table.entitySetName,
  LogicalCollectionName: (table: Table) => table.entitySetName,
  PrimaryIdAttribute: (table: Table) => table.primaryIdAttribute,
  PrimaryNameAttribute: (table: Table) => table.primaryNameAttribute,
} as const;
type PropertyName = keyof typeof properties;

export function entityDefinitions(request: DataRequest, services: DataServices, key: RowKey | undefined): HttpAnswer {
  checkOptionNames(request.options);
  const selected = selectedProperties(request.options.get('$select'));
  const columns = request.options.has('$select') ? `(${selected.join(',')})` : '';
  const context = `${request.root}$metadata#EntityDefinitions${columns}`;
  if (key !== undefined) {
    const table = tableOfKey(services, key);
    return jsonAnswer({ '@odata.context': `${context}/$entity`, ...definition(table, selected) });
  }
  const filter = filterOf(request.options.get('$filter'));
  const tables = [...services.metadata.tables.values()].filter((table) => filter === undefined || matches(table, filter));
  return jsonAnswer({ '@odata.context': context, value: tables.map((table) => definition(table, selected)) });
}

export function jsonAnswer(body: unknown): HttpAnswer {
  return { status: 200, headers: { 'Content-Type': JSON_TYPE }, body: JSON.stringify(body) };
}

function tableOfKey({ metadata }: DataServices, key: RowKey): Table {
  const [name, value] = key.by === 'columns' ? (key.columns[0] ?? []) : [];
  if (name !== 'LogicalName') throw new PlatformError('INVALID_ARGUMENT', { problem: "Write EntityDefinitions(LogicalName='<table>')." });
  const table = metadata.tables.get(String(value).toLowerCase());
  if (table === undefined) throw new PlatformError('TABLE_UNKNOWN', { table: String(value).slice(0, 128) });
  return table;
}

function selectedProperties(text: string | undefined): readonly PropertyName[] {
  // Object.keys of the constant above are its names.
  if (text === undefined) return Object.keys(properties) as PropertyName[];
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'MetadataId')
    .map(propertyOf);
}

function propertyOf(name: string): PropertyName {
  if (!Object.hasOwn(properties, name)) throw new PlatformError('UNKNOWN_COLUMN', { column: name.slice(0, 128), table: 'EntityMetadata' });
  // Checked above.
  return name as PropertyName;
}

function filterOf(text: string | undefined): Filter | undefined {
  return text === undefined || text.trim() === '' ? undefined : parseFilter(text, { column: propertyOf, value: (_column, value) => value });
}

function definition(table: Table, selected: readonly PropertyName[]): Record<string, string> {
  return Object.fromEntries(selected.map((name) => [name, properties[name](table)]));
}

function matches(table: Table, filter: Filter): boolean {
  const valueOf = (column: string) => properties[propertyOf(column)](table).toLowerCase();
  const text = (value: unknown) => String(value).toLowerCase();
  switch (filter.kind) {
    case 'and':
      return filter.filters.every((inner) => matches(table, inner));
    case 'or':
      return filter.filters.some((inner) => matches(table, inner));
    case 'not':
      return !matches(table, filter.filter);
    case 'in':
      return filter.values.map(text).includes(valueOf(filter.column));
    case 'contains':
      return valueOf(filter.column).includes(text(filter.value));
    case 'starts-with':
      return valueOf(filter.column).startsWith(text(filter.value));
    case 'ends-with':
      return valueOf(filter.column).endsWith(text(filter.value));
    case 'compare':
      if (filter.operator === 'eq') return valueOf(filter.column) === text(filter.value);
      if (filter.operator === 'ne') return valueOf(filter.column) !== text(filter.value);
      break;
    case 'compare-columns':
    case 'null':
    case 'contain-values':
      break;
    default:
      return filter satisfies never;
  }
  throw new PlatformError('INVALID_ARGUMENT', {
    problem: 'A filter of EntityDefinitions compares names with eq, ne, in, contains, startswith and endswith.',
  });
}
