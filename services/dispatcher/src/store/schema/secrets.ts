import { integer, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { airlockTable, createdOn, modifiedOn } from './columns.ts';

/** The keys that seal secrets, themselves sealed by the master key, which is in no database. */
export const datakey = airlockTable(
  'datakey',
  {
    organizationid: uuid('organizationid').notNull(),
    /** Part of what each ciphertext is bound to. */
    version: integer('version').notNull(),
    /** Base64 of nonce, ciphertext and tag. */
    wrappedkey: text('wrappedkey').notNull(),
    /** Tells which master key opens it; says nothing about the key. */
    masterkeyid: text('masterkeyid').notNull(),
    createdon: createdOn(),
    modifiedon: modifiedOn(),
  },
  (table) => [primaryKey({ columns: [table.organizationid, table.version] })],
);
