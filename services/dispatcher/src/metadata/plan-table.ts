import { PlatformError } from '@airlock/protocol';
import { checkDefinition } from './check-definition.ts';
import {
  isPolymorphic,
  keyIndexName,
  lookupConstraintName,
  physicalName,
  physicalTypes,
  primaryKeyName,
  quoteIdentifier as quote,
  TEXT_COLLATION,
  targetColumnOf,
} from './physical.ts';
import { systemColumns } from './system-columns.ts';
import type { AlternateKey, Column, Metadata, Table } from './table.ts';

/**
 * The statements that make the database hold the table that `definition` describes; none when it does already. A change
 * only ever adds: whatever would lose data is refused, because a definition is not the place where anyone expects that.
 */
export function planTable(metadata: Metadata, definition: unknown): readonly string[] {
  return planStatements(metadata, checkDefinition(metadata, definition));
}

export function planStatements(metadata: Metadata, table: Table): readonly string[] {
  const current = metadata.tables.get(table.logicalName);
  if (current === undefined)
    return [createTable(table), ...indexes(table), ...lookups(metadata, table), ...keys(table.keys, table), ...waiting(metadata, table)];
  refuseLoss(current, table);
  const added = [...table.columns.values()].filter((column) => !current.columns.has(column.logicalName));
  const newKeys = table.keys.filter((key) => !current.keys.some((known) => known.logicalName === key.logicalName));
  return [
    ...added.flatMap((column) => physicalColumns(column).map((text) => `alter table ${place(table)} add column ${text}`)),
    ...(current.primaryNameAttribute === table.primaryNameAttribute ? [] : [nameIndex(table)]),
    ...lookups(metadata, table, current),
    ...keys(newKeys, table),
  ];
}

const place = ({ schema, logicalName }: Pick<Table, 'schema' | 'logicalName'>): string => `${quote(schema)}.${quote(logicalName)}`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
/** As `comparable.ts` writes it, to the letter: an index over an expression serves only the same expression. */
const lowered = (column: string): string => `lower(${quote(column)} collate ${quote(TEXT_COLLATION)})`;
const refusal = (table: Table, problem: string) =>
  new PlatformError('INVALID_ARGUMENT', { problem: `The definition of the table "${table.logicalName}" would lose data: ${problem}.` });

const systemDefaults: Readonly<Record<string, string>> = {
  createdon: 'not null default now()',
  modifiedon: 'not null default now()',
  createdby: 'not null',
  modifiedby: 'not null',
  ownerid: 'not null',
  statecode: 'not null default 0',
  statuscode: 'not null default 1',
  versionnumber: "not null default nextval('data.versionnumber')",
};

function physicalColumns(column: Column): readonly string[] {
  const text = `${quote(column.logicalName)} ${physicalTypes[column.type]}`;
  return isPolymorphic(column) ? [text, `${quote(targetColumnOf(column.logicalName))} text`] : [text];
}

/** `required` is checked by the pipeline, after the steps that may fill a column in, and therefore is no constraint. */
function createTable(table: Table): string {
  const own = new Set(systemColumns(table.logicalName).map((column) => column.logicalName));
  const lines = [...table.columns.values()].flatMap((column) => {
    const texts = physicalColumns(column);
    if (!own.has(column.logicalName)) return texts;
    if (column.logicalName === table.primaryIdAttribute) return [`${texts[0]} not null default uuidv7()`];
    return [`${texts[0]} ${systemDefaults[column.logicalName] ?? ''}`.trimEnd()];
  });
  const primaryKey = `constraint ${quote(primaryKeyName(table.logicalName))} primary key (${quote(table.primaryIdAttribute)})`;
  return `create table ${place(table)} (\n  ${[...lines, primaryKey].join(',\n  ')}\n)`;
}

const nameIndex = (table: Table): string =>
  `create index if not exists ${quote(physicalName('ix', table.logicalName, table.primaryNameAttribute))} on ${place(table)} (${lowered(table.primaryNameAttribute)} nulls first)`;
const columnIndex = (table: Table, column: string): string =>
  `create index ${quote(physicalName('ix', table.logicalName, column))} on ${place(table)} (${quote(column)})`;

/** `createdby` and `modifiedby` have none: nobody asks for them often enough to pay for it on every write. */
const indexes = (table: Table): readonly string[] => [nameIndex(table), columnIndex(table, 'ownerid')];

function keys(added: readonly AlternateKey[], table: Table): readonly string[] {
  return added.map((key) => {
    const parts = key.columns.map((name) => (table.columns.get(name)?.type === 'string' ? lowered(name) : quote(name)));
    return `create unique index ${quote(keyIndexName(table.logicalName, key.logicalName))} on ${place(table)} (${parts.join(', ')})`;
  });
}

const systemNames = new Set(['createdby', 'modifiedby', 'ownerid']);
const ownLookups = (table: Table): readonly Column[] =>
  [...table.columns.values()].filter((column) => column.type === 'lookup' && !systemNames.has(column.logicalName));

/** Index, foreign key and delete trigger of each new lookup, or of each new target of one. */
function lookups(metadata: Metadata, table: Table, current?: Table): readonly string[] {
  return ownLookups(table).flatMap((column) => {
    const before = current?.columns.get(column.logicalName);
    const targets = (column.targets ?? []).filter((target) => !before?.targets?.includes(target));
    return [
      ...(before === undefined ? [columnIndex(table, column.logicalName)] : []),
      ...targets.flatMap((name) => {
        const target = name === table.logicalName ? table : metadata.tables.get(name);
        return target === undefined ? [] : reference(table, column, target);
      }),
    ];
  });
}

/** Tables may be defined in any order: lookups of other tables that waited for this one. */
function waiting(metadata: Metadata, target: Table): readonly string[] {
  return [...metadata.tables.values()]
    .filter((table) => table.schema === 'data' && table.logicalName !== target.logicalName)
    .flatMap((table) =>
      ownLookups(table)
        .filter((column) => column.targets?.includes(target.logicalName))
        .flatMap((column) => reference(table, column, target)),
    );
}

function reference(table: Table, column: Column, target: Table): readonly string[] {
  const polymorphic = isPolymorphic(column);
  const foreignKey = `alter table ${place(table)} add constraint ${quote(lookupConstraintName(table.logicalName, column.logicalName))} foreign key (${quote(column.logicalName)}) references ${place(target)} (${quote(target.primaryIdAttribute)}) on delete set null`;
  const facts = [
    table.logicalName,
    table.primaryIdAttribute,
    column.logicalName,
    polymorphic ? targetColumnOf(column.logicalName) : '',
    target.primaryIdAttribute,
  ];
  const trigger = `create trigger ${quote(physicalName('clear', table.logicalName, column.logicalName))} before delete on ${place(target)} for each row execute function data.clear_lookup(${facts.map(literal).join(', ')})`;
  return [...(polymorphic ? [] : [foreignKey]), ...(target.schema === 'data' ? [trigger] : [])];
}

function refuseLoss(current: Table, next: Table): void {
  for (const column of current.columns.values()) {
    const after = next.columns.get(column.logicalName);
    if (after === undefined) throw refusal(next, `it lacks the column "${column.logicalName}"`);
    refuseColumnLoss(next, column, after);
  }
  for (const key of current.keys) {
    const after = next.keys.find((candidate) => candidate.logicalName === key.logicalName);
    if (after === undefined || after.columns.join() !== key.columns.join()) throw refusal(next, `it lacks or changes the key "${key.logicalName}"`);
  }
}

function refuseColumnLoss(table: Table, before: Column, after: Column): void {
  const name = before.logicalName;
  if (before.type !== after.type) throw refusal(table, `the column "${name}" is of type ${before.type}, not ${after.type}`);
  if ((after.maxLength ?? 0) < (before.maxLength ?? 0)) throw refusal(table, `the column "${name}" may hold ${before.maxLength} characters already`);
  if ((after.scale ?? 0) < (before.scale ?? 0)) throw refusal(table, `the column "${name}" has ${before.scale} digits after the point already`);
  for (const choice of before.choices ?? []) {
    if (!after.choices?.some(({ value }) => value === choice.value)) throw refusal(table, `the column "${name}" lacks the choice ${choice.value}`);
  }
  for (const target of before.targets ?? []) {
    if (!after.targets?.includes(target)) throw refusal(table, `the lookup "${name}" no longer points to "${target}"`);
  }
  if (isPolymorphic(before) !== isPolymorphic(after)) {
    throw refusal(table, `the lookup "${name}" points to one table and cannot become one to several; add another column`);
  }
}
