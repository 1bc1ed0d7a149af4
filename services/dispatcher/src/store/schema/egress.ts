import { sql } from 'drizzle-orm';
import { bigint, check, doublePrecision, index, integer, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { airlockTable, createdOn, rowId, versionNumber } from './columns.ts';
import { sdkmessageprocessingstep } from './registrations.ts';

/** What an operator lets a step reach. It goes with the step: one that is made anew under the same name has none. */
export const egressgrant = airlockTable(
  'egressgrant',
  {
    egressgrantid: rowId('egressgrantid'),
    sdkmessageprocessingstepid: uuid('sdkmessageprocessingstepid')
      .notNull()
      .references(() => sdkmessageprocessingstep.sdkmessageprocessingstepid, { onDelete: 'cascade' }),
    scheme: text('scheme').notNull(),
    /** As the URL standard writes it: lower case, punycode, IPv6 in brackets. */
    host: text('host').notNull(),
    port: integer('port').notNull(),
    methods: text('methods').array().notNull(),
    createdon: createdOn(),
    createdby: uuid('createdby').notNull(),
  },
  (table) => [
    uniqueIndex('egressgrant_target').on(table.sdkmessageprocessingstepid, table.scheme, table.host, table.port),
    check('egressgrant_scheme', sql`${table.scheme} in ('https', 'http')`),
    check('egressgrant_port', sql`${table.port} between 1 and 65535`),
  ],
);

/** The ledger: one row for each exchange with a host, and for each that was refused. No path, no query, no header, no body: they may hold secrets. */
export const egresslog = airlockTable(
  'egresslog',
  {
    egresslogid: rowId('egresslogid'),
    /** No reference: the row outlives its step. */
    sdkmessageprocessingstepid: uuid('sdkmessageprocessingstepid').notNull(),
    stepname: text('stepname').notNull(),
    bundlename: text('bundlename').notNull(),
    bundleversion: text('bundleversion').notNull(),
    systemuserid: uuid('systemuserid').notNull(),
    scheme: text('scheme').notNull(),
    host: text('host').notNull(),
    port: integer('port').notNull(),
    method: text('method').notNull(),
    /** 0 for the request itself, from 1 for its redirects. */
    hop: integer('hop').notNull(),
    httpstatus: integer('httpstatus'),
    refusal: text('refusal'),
    sentbytes: bigint('sentbytes', { mode: 'number' }).notNull(),
    receivedbytes: bigint('receivedbytes', { mode: 'number' }).notNull(),
    durationms: doublePrecision('durationms').notNull(),
    traceid: text('traceid').notNull(),
    createdon: createdOn(),
    versionnumber: versionNumber(),
  },
  (table) => [
    index('egresslog_created').on(table.createdon),
    index('egresslog_step').on(table.sdkmessageprocessingstepid, table.createdon),
    index('egresslog_trace').on(table.traceid),
  ],
);
