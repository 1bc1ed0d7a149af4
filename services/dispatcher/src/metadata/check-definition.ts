import { PlatformError, TableDefinition } from '@airlock/protocol';
import type { z } from 'zod';
import { isPolymorphic, MAX_IDENTIFIER_CHARS, targetColumnOf } from './physical.ts';
import { platformTables } from './platform-tables.ts';
import { primaryIdOf, systemColumns } from './system-columns.ts';
import type { Column, ColumnType, Metadata, Table } from './table.ts';

type Definition = z.output<typeof TableDefinition>;
type DefinedColumn = Definition['columns'][number];
type Limit = 'maxLength' | 'scale' | 'minimum' | 'maximum' | 'choices' | 'targets';

/** Which limits mean something for which type; one that means nothing is a mistake of the author and said so. */
const limitsOf = {
  string: ['maxLength'],
  memo: ['maxLength'],
  integer: ['minimum', 'maximum'],
  bigint: ['minimum', 'maximum'],
  decimal: ['scale', 'minimum', 'maximum'],
  money: ['scale', 'minimum', 'maximum'],
  float: ['minimum', 'maximum'],
  boolean: [],
  datetime: [],
  date: [],
  uuid: [],
  choice: ['choices'],
  multichoice: ['choices'],
  lookup: ['targets'],
} as const satisfies Record<ColumnType, readonly Limit[]>;

/** What a definition leaves out. */
export const defaultMaxLength = { string: 100, memo: 2_000 } as const;
export const defaultScale = { decimal: 10, money: 2 } as const;
/** An index entry holds at most 2 704 bytes, three for a UTF-16 unit: the longest text that can be indexed. */
export const MAX_INDEXED_CHARS = 850;
/** `constructor` is a property of every object: as a column it would be found where it was never set. */
const RESERVED_COLUMNS: ReadonlySet<string> = new Set(['constructor']);
/** The sequence of versions lives beside the tables, and shares their names. */
const RESERVED_TABLES: ReadonlySet<string> = new Set(['constructor', 'versionnumber']);

/** The table that `definition` describes, or an error that names what is wrong with it. */
export function checkDefinition(metadata: Metadata, definition: unknown): Table {
  const parsed = TableDefinition.safeParse(definition);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw refusal(`${issue?.path.map(String).join('.') || 'it'}: ${issue?.message ?? 'not valid'}`.slice(0, 500));
  }
  const { data } = parsed;
  checkNames(metadata, data);
  const columns = data.columns.map((column) => toColumn(data.logicalName, column));
  const table: Table = {
    logicalName: data.logicalName,
    displayName: data.displayName,
    displayCollectionName: data.displayCollectionName,
    entitySetName: data.entitySetName,
    primaryIdAttribute: primaryIdOf(data.logicalName),
    primaryNameAttribute: data.primaryNameAttribute,
    schema: 'data',
    columns: new Map([...systemColumns(data.logicalName), ...columns].map((column) => [column.logicalName, column])),
    keys: data.keys,
    rights: { create: rightOf(data, 'create'), read: rightOf(data, 'read'), write: rightOf(data, 'write'), delete: rightOf(data, 'delete') },
    customStepsAllowed: true,
  };
  checkPrimaryName(table);
  checkKeys(table);
  return table;
}

const refusal = (problem: string) => new PlatformError('INVALID_ARGUMENT', { problem: `The table definition is not valid: ${problem}.` });

/** A right that the definition does not mention is every user's. */
const rightOf = (definition: Definition, right: keyof Table['rights']) => {
  const role = definition.rights[right];
  return role === undefined ? 'user' : (role ?? undefined);
};

function checkNames(metadata: Metadata, { logicalName, entitySetName, columns }: Definition): void {
  if (platformTables.some((table) => table.logicalName === logicalName)) throw refusal(`the table "${logicalName}" belongs to the platform`);
  if (RESERVED_TABLES.has(logicalName)) throw refusal(`"${logicalName}" cannot be the name of a table`);
  if (primaryIdOf(logicalName).length > MAX_IDENTIFIER_CHARS)
    throw refusal(`the name "${logicalName}" is too long for an id column "${logicalName}id"`);
  const holder = metadata.bySetName.get(entitySetName);
  if (holder !== undefined && holder.logicalName !== logicalName) {
    throw refusal(`the entity set name "${entitySetName}" belongs to the table "${holder.logicalName}"`);
  }
  const taken = new Set(systemColumns(logicalName).map((column) => column.logicalName));
  for (const column of columns) {
    const names = (column.targets?.length ?? 0) > 1 ? [column.logicalName, targetColumnOf(column.logicalName)] : [column.logicalName];
    for (const name of names) {
      if (name.length > MAX_IDENTIFIER_CHARS)
        throw refusal(`the polymorphic lookup "${column.logicalName}" needs a second column "${name}", which is too long`);
      if (RESERVED_COLUMNS.has(name)) throw refusal(`"${name}" cannot be the name of a column`);
      if (taken.has(name)) throw refusal(`the column "${name}" exists twice or is one that every table has`);
      taken.add(name);
    }
  }
}

function toColumn(table: string, column: DefinedColumn): Column {
  const allowed: readonly Limit[] = limitsOf[column.type];
  for (const limit of ['maxLength', 'scale', 'minimum', 'maximum', 'choices', 'targets'] as const) {
    if (column[limit] !== undefined && !allowed.includes(limit)) {
      throw refusal(`"${limit}" means nothing for the column "${column.logicalName}" of type ${column.type}`);
    }
  }
  const { logicalName, displayName, type, required, minimum, maximum, choices, targets } = column;
  if (allowed.includes('choices') && (choices === undefined || choices.length === 0)) throw refusal(`the column "${logicalName}" needs choices`);
  if (new Set(choices?.map(({ value }) => value)).size !== (choices?.length ?? 0)) throw refusal(`a choice of "${logicalName}" exists twice`);
  if (type === 'lookup' && targets === undefined) throw refusal(`the lookup "${logicalName}" of "${table}" needs targets`);
  if (new Set(targets).size !== (targets?.length ?? 0)) throw refusal(`a target of "${logicalName}" exists twice`);
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) throw refusal(`the range of "${logicalName}" is empty`);
  return {
    logicalName,
    displayName,
    type,
    required,
    readOnly: false,
    ...(type === 'string' || type === 'memo' ? { maxLength: column.maxLength ?? defaultMaxLength[type] } : {}),
    ...(type === 'decimal' || type === 'money' ? { scale: column.scale ?? defaultScale[type] } : {}),
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
    ...(choices === undefined ? {} : { choices }),
    ...(targets === undefined ? {} : { targets }),
  };
}

function checkPrimaryName({ columns, primaryNameAttribute }: Table): void {
  const column = columns.get(primaryNameAttribute);
  if (column?.type !== 'string') throw refusal(`the primary name "${primaryNameAttribute}" must be a column of type string`);
  if ((column.maxLength ?? 0) > MAX_INDEXED_CHARS)
    throw refusal(`the primary name "${primaryNameAttribute}" may hold ${MAX_INDEXED_CHARS} characters at most`);
}

const KEY_TYPES: ReadonlySet<ColumnType> = new Set(['string', 'integer', 'bigint', 'decimal', 'date', 'datetime', 'uuid', 'choice', 'lookup']);

function checkKeys({ columns, keys }: Table): void {
  const names = new Set<string>();
  for (const key of keys) {
    if (names.has(key.logicalName)) throw refusal(`the key "${key.logicalName}" exists twice`);
    names.add(key.logicalName);
    if (new Set(key.columns).size !== key.columns.length) throw refusal(`the key "${key.logicalName}" names a column twice`);
    let chars = 0;
    for (const name of key.columns) {
      const column = columns.get(name);
      if (column === undefined) throw refusal(`the key "${key.logicalName}" names the unknown column "${name}"`);
      if (!KEY_TYPES.has(column.type) || isPolymorphic(column))
        throw refusal(`the column "${name}" of the key "${key.logicalName}" has a type that keys cannot have`);
      chars += column.type === 'string' ? (column.maxLength ?? 0) : 8;
    }
    if (chars > MAX_INDEXED_CHARS)
      throw refusal(`the columns of the key "${key.logicalName}" may hold ${MAX_INDEXED_CHARS} characters together at most`);
  }
}
