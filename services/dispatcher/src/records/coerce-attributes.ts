import type { Attributes, AttributeValue } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import type { Metadata, Table } from '../metadata/table.ts';
import { coerceValue } from './coerce-value.ts';
import { invalidValue, shownName } from './invalid-value.ts';

const MAX_ATTRIBUTES = 1_024;

/**
 * The attributes of a payload or of a plug-in's target, checked against the table and in canonical form. Columns that the
 * platform sets are refused. On update the row id may be repeated but not changed; that is `updateRecord`'s to check.
 */
export function coerceAttributes(
  metadata: Metadata,
  table: Table,
  raw: Readonly<Record<string, unknown>>,
  operation: 'create' | 'update',
): Attributes {
  // Own properties only, into an object without a prototype: a payload may well say `__proto__`.
  const attributes: Record<string, AttributeValue> = Object.create(null) as Record<string, AttributeValue>;
  const names = Object.keys(raw);
  if (names.length > MAX_ATTRIBUTES) throw new PlatformError('PAYLOAD_INVALID', { problem: `it sets more than ${MAX_ATTRIBUTES} columns.` });
  for (const name of names) {
    const column = table.columns.get(name);
    if (column === undefined) throw new PlatformError('UNKNOWN_PAYLOAD_COLUMN', { column: shownName(name), table: table.logicalName });
    if (column.readOnly) throw new PlatformError('READ_ONLY_COLUMN', { column: name, table: table.logicalName });
    const value = coerceValue({ metadata, table, column, purpose: 'store' }, raw[name]);
    if (value === null && neverEmpty(table, name)) {
      // Left out of a create the platform fills it in; set to nothing it is a mistake.
      if (operation === 'create' && name === table.primaryIdAttribute) continue;
      throw invalidValue(table, column, 'must not be empty');
    }
    attributes[name] = value;
  }
  return attributes;
}

const neverEmpty = (table: Table, name: string): boolean =>
  name === table.primaryIdAttribute || name === 'ownerid' || name === 'statecode' || name === 'statuscode';

/**
 * Runs after the PreOperation steps, which may fill columns in: on create every required column has a value, on update none
 * is emptied.
 */
export function checkRequired(table: Table, attributes: Attributes, operation: 'create' | 'update'): void {
  for (const column of table.columns.values()) {
    if (!column.required) continue;
    const missing =
      operation === 'create'
        ? (attributes[column.logicalName] ?? null) === null
        : Object.hasOwn(attributes, column.logicalName) && attributes[column.logicalName] === null;
    if (missing) throw new PlatformError('REQUIRED_COLUMN_MISSING', { column: column.logicalName, table: table.logicalName });
  }
}
