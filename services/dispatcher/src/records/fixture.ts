import { readFileSync } from 'node:fs';
import type { Template } from '../../../../test/support/postgres.ts';
import { defineTable } from '../metadata/define-table.ts';
import { migrate } from '../store/migrate.ts';
import { PlatformDatabase } from '../store/platform-database.ts';

/** What the tests of records and metadata share. */
export const openDatabase = (url: string) =>
  new PlatformDatabase({ url, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000, idleInTransactionTimeoutMs: 20_000 });

const readModel = (file: string): unknown => JSON.parse(readFileSync(new URL(`../../../../examples/model/${file}`, import.meta.url), 'utf8'));

// The checked-in example model; its own test holds it to these shapes.
export const exampleTables = readModel('tables.json') as readonly { readonly logicalName: string }[];
interface ExampleRecord {
  readonly set: string;
  readonly id: string;
  readonly values: Readonly<Record<string, unknown>>;
}
export const exampleRecords = readModel('records.json') as readonly ExampleRecord[];

export const migrated: Template = { name: 'records', fill: (url) => migrate({ url }) };

async function fillModel(url: string): Promise<void> {
  await migrate({ url });
  await using database = openDatabase(url);
  for (const definition of exampleTables) await database.inTransaction((tx) => defineTable(tx, definition));
}
/** The example tables without rows. */
export const withModel: Template = { name: 'records_model', fill: fillModel };

/** The registered code that `work` is refused with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    return error !== null && typeof error === 'object' && 'code' in error ? String(error.code) : String(error);
  }
}
