import type { AttributeValue, Entity, EntityReference } from '@airlock/pipeline';
import type { Column, Metadata, Table } from '../metadata/table.ts';
import { etagOf } from './conditions.ts';
import { wantsAnnotation } from './preferences.ts';
import { propertyNameOf } from './property-name.ts';

const FORMATTED = 'OData.Community.Display.V1.FormattedValue';
const LOOKUP_TABLE = 'Microsoft.Dynamics.CRM.lookuplogicalname';
const NAVIGATION = 'Microsoft.Dynamics.CRM.associatednavigationproperty';

export const VERSION_COLUMN = 'versionnumber';

export interface RecordShape {
  readonly table: Table;
  /** `undefined`: every column. */
  readonly selected: readonly Column[] | undefined;
  readonly annotations: readonly string[];
  readonly metadata: Metadata;
}

/** Columns that a row must be read with: what was asked for, and what its address and ETag need. `undefined`: all. */
export function columnsToRead({ table, selected }: Pick<RecordShape, 'table' | 'selected'>): readonly string[] | undefined {
  if (selected === undefined) return undefined;
  const names = new Set(selected.map(({ logicalName }) => logicalName));
  names.add(table.primaryIdAttribute);
  if (table.columns.has(VERSION_COLUMN)) names.add(VERSION_COLUMN);
  return [...names];
}

export function versionOf(entity: Entity): number | undefined {
  const version = entity.attributes[VERSION_COLUMN];
  return typeof version === 'number' ? version : undefined;
}

/** A row as the Web API shows it. The primary key is always there; a column without a value is `null`. */
export function recordJson(entity: Entity, shape: RecordShape): Record<string, unknown> {
  const { table, selected } = shape;
  const json: Record<string, unknown> = {};
  const version = versionOf(entity);
  if (version !== undefined) json['@odata.etag'] = etagOf(version);
  for (const column of selected ?? table.columns.values()) {
    const value = entity.attributes[column.logicalName] ?? null;
    const property = propertyNameOf(column);
    json[property] = plainValue(column, value);
    if (value === null) continue;
    for (const [name, text] of annotationsOf(column, value, shape.metadata)) {
      if (text !== undefined && wantsAnnotation(shape.annotations, name)) json[`${property}@${name}`] = text;
    }
  }
  const id = entity.id ?? entity.attributes[table.primaryIdAttribute];
  if (id !== undefined) json[table.primaryIdAttribute] = id;
  return json;
}

function plainValue(column: Column, value: AttributeValue): unknown {
  if (isReference(value)) return value.id;
  if (typeof value === 'object' && value !== null) return value.join(',');
  // The platform's own answers carry milliseconds only where there are any.
  if (column.type === 'datetime' && typeof value === 'string') return value.replace('.000Z', 'Z');
  return value;
}

function annotationsOf(column: Column, value: AttributeValue, metadata: Metadata): readonly (readonly [string, string | undefined])[] {
  if (isReference(value)) {
    return [
      [FORMATTED, value.name],
      [LOOKUP_TABLE, value.logicalName],
      [NAVIGATION, navigationOf(column, value, metadata)],
    ];
  }
  return [[FORMATTED, formatted(column, value)]];
}

function navigationOf(column: Column, { logicalName }: EntityReference, metadata: Metadata): string | undefined {
  if (!metadata.tables.has(logicalName)) return undefined;
  return (column.targets?.length ?? 0) > 1 ? `${column.logicalName}_${logicalName}` : column.logicalName;
}

function formatted(column: Column, value: Exclude<AttributeValue, EntityReference>): string | undefined {
  const labelOf = (choice: number) => column.choices?.find((known) => known.value === choice)?.label;
  if (column.type === 'choice' && typeof value === 'number') return labelOf(value);
  if (typeof value === 'object' && value !== null) return value.map((choice) => labelOf(choice) ?? String(choice)).join('; ');
  return typeof value === 'boolean' ? (value ? 'Yes' : 'No') : undefined;
}

function isReference(value: AttributeValue): value is EntityReference {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `$metadata#accounts(name,telephone1)`: clients parse the selected columns back out of it. */
export function contextUrl(root: string, { table, selected }: Pick<RecordShape, 'table' | 'selected'>, what: 'row' | 'rows'): string {
  const columns = selected === undefined ? '' : `(${selected.map(propertyNameOf).join(',')})`;
  return `${root}$metadata#${table.entitySetName}${columns}${what === 'row' ? '/$entity' : ''}`;
}
