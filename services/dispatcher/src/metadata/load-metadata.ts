import { type SQL, sql } from 'drizzle-orm';
import type { Queryable, Row } from '../store/queryable.ts';
import { platformTables } from './platform-tables.ts';
import { primaryIdOf, systemColumns } from './system-columns.ts';
import type { Choice, Column, ColumnType, Metadata, Role, Table } from './table.ts';

/** Cheap: one row by its only index. Compare with `Metadata.version` to see whether a loaded state is still the newest. */
export async function metadataVersion(db: Queryable): Promise<number> {
  const [row] = await db.query(sql`select metadataversion from airlock.organization`);
  if (row === undefined) throw new Error('The database holds no organization row; run the migrations.');
  return Number(row['metadataversion']);
}

const cache = new WeakMap<Queryable, Metadata>();

/** All definitions, the platform's own tables included. The same object as before while nothing has changed. */
export async function loadMetadata(db: Queryable): Promise<Metadata> {
  // The version is read first: what changes in between makes the result newer than its number, and is loaded again.
  const version = await metadataVersion(db);
  const cached = cache.get(db);
  if (cached?.version === version) return cached;
  const [tables, columns, choices, keys] = await Promise.all([
    db.query(sql`select * from airlock.tabledefinition order by logicalname`),
    db.query(sql`select * from airlock.columndefinition order by tablename, ordinal`),
    db.query(sql`select * from airlock.choicedefinition order by tablename, columnname, ordinal`),
    db.query(sql`select * from airlock.keydefinition order by tablename, ordinal`),
  ]);
  const metadata = buildMetadata(version, { tables, columns, choices, keys });
  cache.set(db, metadata);
  return metadata;
}

interface DefinitionRows {
  readonly tables: readonly Row[];
  readonly columns: readonly Row[];
  readonly choices: readonly Row[];
  readonly keys: readonly Row[];
}

/** Names in `rows` passed the definition's schema when they were written; the casts rest on that. */
function buildMetadata(version: number, rows: DefinitionRows): Metadata {
  const choicesOf = Map.groupBy(rows.choices, (row) => `${row['tablename']}.${row['columnname']}`);
  const columnsOf = Map.groupBy(rows.columns, (row) => row['tablename']);
  const keysOf = Map.groupBy(rows.keys, (row) => row['tablename']);
  const defined = rows.tables.map((row): Table => {
    const logicalName = row['logicalname'] as string;
    const columns = (columnsOf.get(logicalName) ?? []).map((column) =>
      columnOf(column, choicesOf.get(`${logicalName}.${column['logicalname']}`) ?? []),
    );
    return {
      logicalName,
      displayName: row['displayname'] as string,
      displayCollectionName: row['displaycollectionname'] as string,
      entitySetName: row['entitysetname'] as string,
      primaryIdAttribute: primaryIdOf(logicalName),
      primaryNameAttribute: row['primarynameattribute'] as string,
      schema: 'data',
      columns: new Map([...systemColumns(logicalName), ...columns].map((column) => [column.logicalName, column])),
      keys: (keysOf.get(logicalName) ?? []).map((key) => ({
        logicalName: key['logicalname'] as string,
        columns: (key['columns'] as string).split(','),
      })),
      rights: {
        create: roleOf(row['createrole']),
        read: roleOf(row['readrole']),
        write: roleOf(row['writerole']),
        delete: roleOf(row['deleterole']),
      },
      customStepsAllowed: row['customstepsallowed'] === true,
    };
  });
  const tables = [...platformTables, ...defined];
  return {
    version,
    tables: new Map(tables.map((table) => [table.logicalName, table])),
    bySetName: new Map(tables.map((table) => [table.entitySetName, table])),
  };
}

const roleOf = (value: unknown): Role | undefined => (value === null ? undefined : (value as Role));

function columnOf(row: Row, choiceRows: readonly Row[]): Column {
  const number = (name: string) => (row[name] === null ? {} : { [name === 'maxlength' ? 'maxLength' : name]: row[name] as number });
  const choices = choiceRows.map((choice): Choice => ({ value: choice['value'] as number, label: choice['label'] as string }));
  return {
    logicalName: row['logicalname'] as string,
    displayName: row['displayname'] as string,
    type: row['type'] as ColumnType,
    required: row['required'] === true,
    readOnly: false,
    ...number('maxlength'),
    ...number('scale'),
    ...number('minimum'),
    ...number('maximum'),
    ...(choices.length === 0 ? {} : { choices }),
    ...(row['targets'] === null ? {} : { targets: (row['targets'] as string).split(',') }),
  };
}

/** A statement that makes every loaded metadata out of date. */
export const raiseMetadataVersion = (): SQL => sql`update airlock.organization set metadataversion = metadataversion + 1`;
