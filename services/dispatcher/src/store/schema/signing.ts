import { text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { airlockTable, createdOn, instant, rowId } from './columns.ts';

/** Public keys whose signatures of bundles count. A revoked one stays, so that it cannot be registered again and what it signed keeps its name. */
export const signingkey = airlockTable(
  'signingkey',
  {
    signingkeyid: rowId('signingkeyid'),
    name: text('name').notNull(),
    /** SHA-256 of the key's SPKI form, hexadecimal: by this a signature names its key. */
    fingerprint: text('fingerprint').notNull(),
    /** SPKI, base64. */
    publickey: text('publickey').notNull(),
    createdon: createdOn(),
    createdby: uuid('createdby').notNull(),
    revokedon: instant('revokedon'),
    revokedby: uuid('revokedby'),
  },
  (table) => [uniqueIndex('signingkey_fingerprint').on(table.fingerprint)],
);
