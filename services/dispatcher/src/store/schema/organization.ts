import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, integer, jsonb, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { airlockTable, createdOn, instant, modifiedOn, rowId, versionNumber } from './columns.ts';

/** One row. `metadataversion` rises with every change of a definition, `registrationversion` with every change of a step. */
export const organization = airlockTable(
  'organization',
  {
    organizationid: rowId('organizationid'),
    name: text('name').notNull(),
    businessunitid: uuid('businessunitid').notNull(),
    plugintracelogsetting: integer('plugintracelogsetting').notNull().default(1),
    maxdepth: integer('maxdepth').notNull().default(8),
    /** Uploads of bundles have to be signed by a registered key. */
    requiresignature: boolean('requiresignature').notNull().default(false),
    metadataversion: bigint('metadataversion', { mode: 'number' }).notNull().default(1),
    registrationversion: bigint('registrationversion', { mode: 'number' }).notNull().default(1),
    singlerow: boolean('singlerow').notNull().default(true).unique('organization_is_one_row'),
    createdon: createdOn(),
    modifiedon: modifiedOn(),
    versionnumber: versionNumber(),
  },
  (table) => [
    check('organization_single_row', sql`${table.singlerow}`),
    check('organization_trace_setting', sql`${table.plugintracelogsetting} between 0 and 2`),
    check('organization_max_depth', sql`${table.maxdepth} between 1 and 8`),
  ],
);

/** `cansignin` is false for SYSTEM, for ever: no key may belong to it. */
export const systemuser = airlockTable(
  'systemuser',
  {
    systemuserid: rowId('systemuserid'),
    fullname: text('fullname').notNull(),
    internalemailaddress: text('internalemailaddress'),
    role: text('role').notNull(),
    isdisabled: boolean('isdisabled').notNull().default(false),
    cansignin: boolean('cansignin').notNull().default(true),
    businessunitid: uuid('businessunitid').notNull(),
    createdon: createdOn(),
    modifiedon: modifiedOn(),
    createdby: uuid('createdby'),
    modifiedby: uuid('modifiedby'),
    versionnumber: versionNumber(),
  },
  (table) => [
    check('systemuser_role', sql`${table.role} in ('user', 'author', 'operator')`),
    index('systemuser_fullname').on(sql`lower(${table.fullname} collate "pg_c_utf8")`),
  ],
);

/** The key itself is never stored: `keyhash` is the SHA-256 of 256 random bits, `prefix` its first characters, to tell keys apart. */
export const apikey = airlockTable(
  'apikey',
  {
    apikeyid: rowId('apikeyid'),
    systemuserid: uuid('systemuserid')
      .notNull()
      .references(() => systemuser.systemuserid),
    name: text('name').notNull(),
    prefix: text('prefix').notNull(),
    keyhash: text('keyhash').notNull(),
    expireson: instant('expireson').notNull(),
    lastusedon: instant('lastusedon'),
    revokedon: instant('revokedon'),
    createdon: createdOn(),
    createdby: uuid('createdby'),
  },
  (table) => [uniqueIndex('apikey_hash').on(table.keyhash), index('apikey_user').on(table.systemuserid)],
);

/** Who did what when to registrations, definitions, users, keys and settings. Rows are only ever added. */
export const auditlog = airlockTable(
  'auditlog',
  {
    auditlogid: rowId('auditlogid'),
    createdon: createdOn(),
    systemuserid: uuid('systemuserid').notNull(),
    action: text('action').notNull(),
    objecttype: text('objecttype').notNull(),
    objectid: text('objectid').notNull(),
    objectname: text('objectname'),
    /** Never a secret: writers name what changed. */
    changes: jsonb('changes'),
    traceid: text('traceid'),
  },
  (table) => [
    index('auditlog_created').on(table.createdon),
    index('auditlog_object').on(table.objecttype, table.objectid, table.createdon),
    index('auditlog_user').on(table.systemuserid, table.createdon),
  ],
);
