import type { Attributes, Entity, UserId } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { type SQL, sql } from 'drizzle-orm';
import { tableName } from '../metadata/physical.ts';
import type { Column, Table } from '../metadata/table.ts';
import type { Queryable, Row } from '../store/queryable.ts';
import { invalidValue } from './invalid-value.ts';
import { existenceOf, missingTarget, targetsToCheck } from './lookup-targets.ts';
import { type StatementFacts, translateDatabaseError } from './translate-database-error.ts';
import { type Assignment, assignments, parameter, physicalColumnList, rowToEntity } from './values.ts';

export interface WriteOptions {
  /** Columns of the row as it is after the write (a post-image without a query of its own). */
  readonly returning?: readonly string[] | 'all';
  readonly statementTimeoutMs?: number;
}

export interface Written {
  readonly id: string;
  readonly versionNumber: number;
  /** What `returning` asked for. */
  readonly entity?: Entity;
}

/** One INSERT. Attributes come from `coerceAttributes`; an id among them counts when `id` is absent. */
export async function createRecord(
  db: Queryable,
  table: Table,
  record: { readonly id?: string; readonly attributes: Attributes },
  actor: UserId,
  options: WriteOptions = {},
): Promise<Written> {
  const id = record.id ?? record.attributes[table.primaryIdAttribute] ?? undefined;
  if (record.id !== undefined) refuseOtherId(table, record.attributes, record.id);
  const attributes: Attributes = { ownerid: { logicalName: 'systemuser', id: actor }, ...withoutId(table, record.attributes) };
  const by = parameter(actor, 'uuid');
  const set: readonly Assignment[] = [
    ...(typeof id === 'string' ? [{ column: table.primaryIdAttribute, value: parameter(id, 'uuid') }] : []),
    ...assignmentsOf(table, attributes),
    { column: 'createdby', value: by },
    { column: 'modifiedby', value: by },
  ];
  const targets = targetsToCheck(table, attributes, actor);
  const names = sql.join(
    set.map(({ column }) => sql.identifier(column)),
    sql`, `,
  );
  const values = sql.join(
    set.map(({ value }) => value),
    sql`, `,
  );
  const statement = sql`${withTargets(targets)}insert into ${tableName(table)} (${names}) select ${values}${where(targets.map(existenceOf))} returning ${returned(table, options)}`;
  const [row] = await run(db, statement, table, { ...options, attributes });
  if (row === undefined) throw await missingTarget(db, targets);
  return written(table, row, options);
}

/** One UPDATE; `attributes` may be empty. With `rowVersion` only that version of the row is changed. */
export async function updateRecord(
  db: Queryable,
  table: Table,
  record: { readonly id: string; readonly attributes: Attributes; readonly rowVersion?: number },
  actor: UserId,
  options: WriteOptions = {},
): Promise<Written> {
  refuseOtherId(table, record.attributes, record.id);
  const attributes = withoutId(table, record.attributes);
  const set: readonly Assignment[] = [
    ...assignmentsOf(table, attributes),
    { column: 'modifiedby', value: parameter(actor, 'uuid') },
    { column: 'modifiedon', value: sql`now()` },
    { column: 'versionnumber', value: sql`nextval('data.versionnumber')` },
  ];
  const targets = targetsToCheck(table, attributes, actor);
  const changes = sql.join(
    set.map(({ column, value }) => sql`${sql.identifier(column)} = ${value}`),
    sql`, `,
  );
  const statement = sql`${withTargets(targets)}update ${tableName(table)} set ${changes}${where([...identity(table, record), ...targets.map(existenceOf)])} returning ${returned(table, options)}`;
  const [row] = await run(db, statement, table, { ...options, attributes });
  if (row !== undefined) return written(table, row, options);
  await requireRow(db, table, record);
  throw await missingTarget(db, targets);
}

/** One DELETE. Lookups of other rows that point here are emptied by the database in the same statement. */
export async function deleteRecord(
  db: Queryable,
  table: Table,
  record: { readonly id: string; readonly rowVersion?: number },
  options: Pick<WriteOptions, 'statementTimeoutMs'> = {},
): Promise<void> {
  const statement = sql`delete from ${tableName(table)}${where(identity(table, record))} returning ${sql.identifier(table.primaryIdAttribute)}`;
  const [row] = await run(db, statement, table, options);
  if (row !== undefined) return;
  await requireRow(db, table, record);
  // The version did match when we looked again: somebody deleted or changed the row and back between two statements.
  throw new PlatformError('TRANSACTION_CONFLICT', { reason: 'the row changed while it was deleted' });
}

export const recordNotFound = (table: Table, id: string): PlatformError => new PlatformError('RECORD_NOT_FOUND', { table: table.displayName, id });

async function run(db: Queryable, statement: SQL, table: Table, facts: StatementFacts): Promise<readonly Row[]> {
  try {
    return await db.query(statement);
  } catch (error) {
    throw translateDatabaseError(error, table, facts) ?? error;
  }
}

function withoutId(table: Table, attributes: Attributes): Attributes {
  const { [table.primaryIdAttribute]: _, ...rest } = attributes;
  return rest;
}

function refuseOtherId(table: Table, attributes: Attributes, id: string): void {
  const given = attributes[table.primaryIdAttribute] ?? id;
  if (given !== id) throw invalidValue(table, { logicalName: table.primaryIdAttribute }, `is not the id ${id} of the row`);
}

function columnOf(table: Table, name: string): Column {
  const column = table.columns.get(name);
  // Identifiers of statements come from the metadata only, so a name that slipped through the checks ends here.
  if (column === undefined) throw new PlatformError('UNKNOWN_PAYLOAD_COLUMN', { column: name.slice(0, 128), table: table.logicalName });
  return column;
}

const assignmentsOf = (table: Table, attributes: Attributes): readonly Assignment[] =>
  Object.entries(attributes).flatMap(([name, value]) => assignments(columnOf(table, name), value));

const identity = (table: Table, { id, rowVersion }: { readonly id: string; readonly rowVersion?: number }): readonly SQL[] => [
  sql`${sql.identifier(table.primaryIdAttribute)} = ${parameter(id, 'uuid')}`,
  ...(rowVersion === undefined ? [] : [sql`versionnumber = ${parameter(String(rowVersion), 'bigint')}`]),
];

const where = (conditions: readonly SQL[]): SQL => (conditions.length === 0 ? sql`` : sql` where ${sql.join([...conditions], sql` and `)}`);
const withTargets = (targets: ReturnType<typeof targetsToCheck>): SQL =>
  targets.length === 0
    ? sql``
    : sql`with ${sql.join(
        targets.map(({ cte, lock }) => sql`${sql.identifier(cte)} as materialized (${lock})`),
        sql`, `,
      )} `;

function returned(table: Table, { returning }: WriteOptions): SQL {
  const names = returning === 'all' ? [...table.columns.keys()] : [...new Set([table.primaryIdAttribute, 'versionnumber', ...(returning ?? [])])];
  return physicalColumnList(names.map((name) => columnOf(table, name)));
}

function written(table: Table, row: Row, { returning }: WriteOptions): Written {
  const id = row[table.primaryIdAttribute] as string;
  const versionNumber = Number(row['versionnumber']);
  return returning === undefined ? { id, versionNumber } : { id, versionNumber, entity: rowToEntity(table, row) };
}

/** Nothing was changed: is there no such row, or is it another version? */
async function requireRow(db: Queryable, table: Table, { id, rowVersion }: { readonly id: string; readonly rowVersion?: number }): Promise<void> {
  const rows = await db.query(sql`select versionnumber from ${tableName(table)}${where(identity(table, { id }))}`);
  const [row] = rows;
  if (row === undefined) throw recordNotFound(table, id);
  if (rowVersion !== undefined && Number(row['versionnumber']) !== rowVersion) throw new PlatformError('VERSION_MISMATCH');
}
