import { PlatformError } from '@airlock/protocol';
import type { Column, Table } from '../metadata/table.ts';

const LOOKUP_VALUE = /^_(.+)_value$/;

/** How a column is called on the wire: a lookup is `_<name>_value`, everything else its logical name. */
export function propertyNameOf(column: Column): string {
  return column.type === 'lookup' ? `_${column.logicalName}_value` : column.logicalName;
}

/** The column of a property name of a query; a lookup answers to its logical name too. */
export function columnOf(table: Table, property: string): Column {
  const lookup = LOOKUP_VALUE.exec(property)?.[1];
  const column = lookup === undefined ? table.columns.get(property) : lookupColumn(table, lookup);
  if (column === undefined) throw new PlatformError('UNKNOWN_COLUMN', { column: property.slice(0, 128), table: table.logicalName });
  return column;
}

function lookupColumn(table: Table, name: string): Column | undefined {
  const column = table.columns.get(name);
  return column?.type === 'lookup' ? column : undefined;
}
