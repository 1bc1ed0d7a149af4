import { sql } from 'drizzle-orm';
import { bigint, customType, pgSchema, timestamp, uuid } from 'drizzle-orm/pg-core';

/**
 * Schema `airlock`. Not exported by `schema.ts`: drizzle-kit would then create it in a generated migration, but the schema
 * has to exist before the first one (the list of applied migrations lives in it).
 */
const airlock = pgSchema('airlock');
export const airlockTable = airlock.table;

export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });

/** Milliseconds, as the pipeline sees them: what is read can be compared with what is stored. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'string' });
export const rowId = (name: string) => uuid(name).primaryKey().default(sql`uuidv7()`);
/** One sequence for every table of both schemas, so that a version number names one state of one row. */
export const versionNumber = () => bigint('versionnumber', { mode: 'number' }).notNull().default(sql`nextval('data.versionnumber')`);
export const createdOn = () => instant('createdon').notNull().defaultNow();
export const modifiedOn = () => instant('modifiedon').notNull().defaultNow();
