import { PlatformError } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { translateDatabaseError } from '../records/translate-database-error.ts';
import type { Queryable } from '../store/queryable.ts';
import { checkDefinition } from './check-definition.ts';
import { loadMetadata, raiseMetadataVersion } from './load-metadata.ts';
import { planStatements } from './plan-table.ts';
import { systemColumns } from './system-columns.ts';
import type { Column, Table } from './table.ts';

export { planTable } from './plan-table.ts';

/** One definition at a time: two that refer to each other would otherwise each miss the other. */
const DEFINITION_LOCK = 4_207_849_485;

export interface DefineResult {
  readonly created: boolean;
  readonly changed: boolean;
  /** What was run. */
  readonly statements: readonly string[];
  /** Tables that a lookup points to and that do not exist yet; until they do, the lookup holds nothing. */
  readonly waitingFor: readonly string[];
}

/**
 * Makes or extends a real table. `tx` must be inside a transaction: a definition that fails half-way leaves nothing.
 * Dispatchers notice through `metadataVersion`.
 */
export async function defineTable(tx: Queryable, definition: unknown): Promise<DefineResult> {
  await tx.query(sql`select pg_advisory_xact_lock(${String(DEFINITION_LOCK)}::text::bigint)`);
  const metadata = await loadMetadata(tx);
  const table = checkDefinition(metadata, definition);
  const current = metadata.tables.get(table.logicalName);
  const statements = planStatements(metadata, table);
  const waitingFor = [
    ...new Set(
      [...table.columns.values()]
        .flatMap((column) => column.targets ?? [])
        .filter((name) => name !== table.logicalName && !metadata.tables.has(name)),
    ),
  ];
  if (current !== undefined && fingerprint(current) === fingerprint(table)) return { created: false, changed: false, statements, waitingFor };
  for (const statement of statements) await run(tx, table, statement);
  await writeDefinition(tx, table);
  if (current === undefined) await writeMessageFilters(tx, table);
  await tx.query(raiseMetadataVersion());
  return { created: current === undefined, changed: true, statements, waitingFor };
}

/** Rows that are there already can stand in the way of a new key, and other operations in the way of the table's lock. */
async function run(tx: Queryable, table: Table, statement: string): Promise<void> {
  try {
    await tx.query(sql.raw(statement));
  } catch (error) {
    const known = translateDatabaseError(error, table);
    if (known?.code !== 'DUPLICATE_KEY') throw known ?? error;
    const problem = `The key "${known.facts['key']}" cannot be added to the table "${table.logicalName}": rows with the same values of ${known.facts['columns']} exist.`;
    throw new PlatformError('INVALID_ARGUMENT', { problem }, { cause: error });
  }
}

const fingerprint = (table: Table): string =>
  JSON.stringify({
    ...table,
    columns: [...table.columns.values()].map((column) => Object.entries(column).toSorted(([a], [b]) => a.localeCompare(b))),
  });

async function writeDefinition(tx: Queryable, table: Table): Promise<void> {
  const { logicalName, displayName, displayCollectionName, entitySetName, primaryNameAttribute, rights } = table;
  await tx.query(sql`
    insert into airlock.tabledefinition (logicalname, displayname, displaycollectionname, entitysetname, primarynameattribute, createrole, readrole, writerole, deleterole)
    values (${logicalName}, ${displayName}, ${displayCollectionName}, ${entitySetName}, ${primaryNameAttribute},
      ${rights.create ?? null}, ${rights.read ?? null}, ${rights.write ?? null}, ${rights.delete ?? null})
    on conflict (logicalname) do update set displayname = excluded.displayname, displaycollectionname = excluded.displaycollectionname,
      entitysetname = excluded.entitysetname, primarynameattribute = excluded.primarynameattribute, createrole = excluded.createrole,
      readrole = excluded.readrole, writerole = excluded.writerole, deleterole = excluded.deleterole, modifiedon = now()`);
  await tx.query(sql`delete from airlock.choicedefinition where tablename = ${logicalName}`);
  await tx.query(sql`delete from airlock.columndefinition where tablename = ${logicalName}`);
  await tx.query(sql`delete from airlock.keydefinition where tablename = ${logicalName}`);
  const system = new Set(systemColumns(logicalName).map((column) => column.logicalName));
  const own = [...table.columns.values()].filter((column) => !system.has(column.logicalName));
  for (const [ordinal, column] of own.entries()) await writeColumn(tx, logicalName, column, ordinal);
  for (const [ordinal, key] of table.keys.entries()) {
    await tx.query(sql`
      insert into airlock.keydefinition (tablename, logicalname, columns, ordinal)
      values (${logicalName}, ${key.logicalName}, ${key.columns.join(',')}, ${ordinal})`);
  }
}

async function writeColumn(tx: Queryable, table: string, column: Column, ordinal: number): Promise<void> {
  const { logicalName, displayName, type, required, maxLength, scale, minimum, maximum, choices, targets } = column;
  await tx.query(sql`
    insert into airlock.columndefinition (tablename, logicalname, ordinal, displayname, type, required, maxlength, scale, minimum, maximum, targets)
    values (${table}, ${logicalName}, ${ordinal}, ${displayName}, ${type}, ${required}, ${maxLength ?? null}, ${scale ?? null},
      ${minimum ?? null}, ${maximum ?? null}, ${targets?.join(',') ?? null})`);
  for (const [position, choice] of (choices ?? []).entries()) {
    await tx.query(sql`
      insert into airlock.choicedefinition (tablename, columnname, value, label, ordinal)
      values (${table}, ${logicalName}, ${choice.value}, ${choice.label}, ${position})`);
  }
}

async function writeMessageFilters(tx: Queryable, table: Table): Promise<void> {
  await tx.query(sql`
    insert into airlock.sdkmessagefilter (sdkmessageid, primaryobjecttypecode, iscustomprocessingstepallowed)
    select sdkmessageid, ${table.logicalName}, ${table.customStepsAllowed} from airlock.sdkmessage
    on conflict (sdkmessageid, primaryobjecttypecode) do nothing`);
}
