import type { Attributes, Entity } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import type { Table } from '../metadata/table.ts';
import type { Filter, RecordQuery } from '../records/record-query.ts';
import type { RowKey } from './data-path.ts';
import { type DataRequest, type DataServices, FaultError, parameters, referenceTo, runMessage } from './data-request.ts';
import { columnOf } from './property-name.ts';

/** Where a path points: the row's id, or the values of an alternate key that no row has. */
export type RowAddress =
  | { readonly found: true; readonly id: string }
  | { readonly found: false; readonly keyValues: Attributes; readonly text: string };

/** A row named by its id is not looked up: the message that follows says whether it exists. */
export async function resolveRow(request: DataRequest, services: DataServices, table: Table, key: RowKey): Promise<RowAddress> {
  if (key.by === 'id') return { found: true, id: key.id };
  const [only] = key.columns;
  // `accounts(accountid=<guid>)` is another way to write the primary key.
  if (key.columns.length === 1 && only?.[0] === table.primaryIdAttribute && typeof only[1] === 'string')
    return { found: true, id: only[1].toLowerCase() };
  const values = key.columns.map(([property, value]) => [columnOf(table, property).logicalName, value] as const);
  requireAlternateKey(
    table,
    values.map(([name]) => name),
  );
  // A comparison with '' finds the rows without a value, and a key must never name one of those.
  const empty = values.find(([, value]) => value === '');
  if (empty !== undefined) throw new PlatformError('INVALID_ARGUMENT', { problem: `The value of the key column '${empty[0]}' must not be empty.` });
  const id = await findRow(request, services, table, values);
  return id === undefined
    ? { found: false, keyValues: Object.fromEntries(values), text: values.map(([name, value]) => `${name}=${String(value)}`).join(', ') }
    : { found: true, id };
}

/** Whether the caller can see such a row. False too when it may not look: what it asked for then answers for itself. */
export async function rowExists(request: DataRequest, services: DataServices, table: Table, id: string): Promise<boolean> {
  try {
    await runMessage(request, services, {
      messageName: 'Retrieve',
      table,
      inputParameters: parameters({ Target: referenceTo(table, id), ColumnSet: [] }),
    });
    return true;
  } catch (error) {
    if (error instanceof FaultError) return false;
    throw error;
  }
}

export function rowMissing(table: Table, id: string): PlatformError {
  return new PlatformError('RECORD_NOT_FOUND', { table: table.displayName, id: id.slice(0, 256) });
}

function requireAlternateKey(table: Table, columns: readonly string[]): void {
  const named = columns.toSorted().join(',');
  if (table.keys.some((key) => key.columns.toSorted().join(',') === named)) return;
  throw new PlatformError('INVALID_ARGUMENT', {
    problem: `The table '${table.logicalName}' has no alternate key of the columns ${columns.join(', ')}; it has ${table.keys.map((key) => `(${key.columns.join(', ')})`).join(', ') || 'none'}.`,
  });
}

async function findRow(
  request: DataRequest,
  services: DataServices,
  table: Table,
  values: readonly (readonly [string, string | number | boolean])[],
): Promise<string | undefined> {
  const filters: readonly Filter[] = values.map(([column, value]) => ({ kind: 'compare', column, operator: 'eq', value }));
  const [only] = filters;
  const query: RecordQuery = {
    columns: [table.primaryIdAttribute],
    filter: filters.length === 1 && only !== undefined ? only : { kind: 'and', filters },
    top: 1,
  };
  const output = await runMessage(request, services, { messageName: 'RetrieveMultiple', table, inputParameters: parameters({ Query: query }) });
  return idOfFirst(output['BusinessEntityCollection'], table);
}

function idOfFirst(collection: unknown, table: Table): string | undefined {
  // The contract of RetrieveMultiple: `{entities: Entity[]}`.
  const [first] = (collection as { readonly entities: readonly Entity[] }).entities;
  const id = first?.id ?? first?.attributes[table.primaryIdAttribute];
  return typeof id === 'string' ? id : undefined;
}
