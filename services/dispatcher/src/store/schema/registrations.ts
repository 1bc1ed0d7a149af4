import { sql } from 'drizzle-orm';
import { boolean, check, index, integer, jsonb, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { airlockTable, bytes, createdOn, instant, modifiedOn, rowId, versionNumber } from './columns.ts';
import { systemuser } from './organization.ts';
import { signingkey } from './signing.ts';

/** A bundle: one row a version. The code of a digest never changes; `iscurrent` marks the version that the steps run. */
export const pluginassembly = airlockTable(
  'pluginassembly',
  {
    pluginassemblyid: rowId('pluginassemblyid'),
    name: text('name').notNull(),
    version: text('version').notNull(),
    digest: text('digest').notNull(),
    description: text('description').notNull().default(''),
    isolationmode: integer('isolationmode').notNull().default(2),
    stateless: boolean('stateless').notNull().default(false),
    iscurrent: boolean('iscurrent').notNull().default(false),
    size: integer('size').notNull(),
    code: bytes('code').notNull(),
    sourcemap: bytes('sourcemap'),
    manifest: jsonb('manifest').notNull(),
    uploadedon: instant('uploadedon').notNull().defaultNow(),
    uploadedby: uuid('uploadedby').notNull(),
    /** The key whose signature of this version was verified when it was uploaded; null: it came unsigned. */
    signingkeyid: uuid('signingkeyid').references(() => signingkey.signingkeyid),
    /** Base64, kept so that the verification can be done again. */
    signature: text('signature'),
    createdon: createdOn(),
    modifiedon: modifiedOn(),
    versionnumber: versionNumber(),
  },
  (table) => [
    // Not unique: the same code may be stored under several names and versions.
    index('pluginassembly_digest').on(table.digest),
    uniqueIndex('pluginassembly_name_version').on(table.name, table.version),
    uniqueIndex('pluginassembly_current').on(table.name).where(sql`${table.iscurrent}`),
    check('pluginassembly_signed', sql`(${table.signingkeyid} is null) = (${table.signature} is null)`),
    check('pluginassembly_isolation', sql`${table.isolationmode} in (1, 2)`),
  ],
);

export const plugintype = airlockTable(
  'plugintype',
  {
    plugintypeid: rowId('plugintypeid'),
    pluginassemblyid: uuid('pluginassemblyid')
      .notNull()
      .references(() => pluginassembly.pluginassemblyid, { onDelete: 'cascade' }),
    typename: text('typename').notNull(),
    name: text('name').notNull(),
    friendlyname: text('friendlyname').notNull(),
    assemblyname: text('assemblyname').notNull(),
    createdon: createdOn(),
    modifiedon: modifiedOn(),
    versionnumber: versionNumber(),
  },
  (table) => [uniqueIndex('plugintype_assembly_typename').on(table.pluginassemblyid, table.typename)],
);

export const sdkmessage = airlockTable(
  'sdkmessage',
  {
    sdkmessageid: rowId('sdkmessageid'),
    name: text('name').notNull(),
    categoryname: text('categoryname').notNull(),
    availability: integer('availability').notNull().default(0),
    autotransact: boolean('autotransact').notNull().default(true),
    isactive: boolean('isactive').notNull().default(true),
    isprivate: boolean('isprivate').notNull().default(false),
    isreadonly: boolean('isreadonly').notNull().default(false),
    createdon: createdOn(),
    modifiedon: modifiedOn(),
    versionnumber: versionNumber(),
  },
  (table) => [uniqueIndex('sdkmessage_name').on(table.name)],
);

/** Which messages a table has, and whether authors may register on them. */
export const sdkmessagefilter = airlockTable(
  'sdkmessagefilter',
  {
    sdkmessagefilterid: rowId('sdkmessagefilterid'),
    sdkmessageid: uuid('sdkmessageid')
      .notNull()
      .references(() => sdkmessage.sdkmessageid),
    primaryobjecttypecode: text('primaryobjecttypecode').notNull(),
    secondaryobjecttypecode: text('secondaryobjecttypecode').notNull().default('none'),
    availability: integer('availability').notNull().default(0),
    iscustomprocessingstepallowed: boolean('iscustomprocessingstepallowed').notNull(),
    isvisible: boolean('isvisible').notNull().default(true),
    createdon: createdOn(),
    modifiedon: modifiedOn(),
    versionnumber: versionNumber(),
  },
  (table) => [uniqueIndex('sdkmessagefilter_message_table').on(table.sdkmessageid, table.primaryobjecttypecode)],
);

/** The secret of a step, sealed (`secrets/seal.ts`). No `Table` of the metadata describes it and no query but the executor's reads it. */
export const sdkmessageprocessingstepsecureconfig = airlockTable('sdkmessageprocessingstepsecureconfig', {
  sdkmessageprocessingstepsecureconfigid: rowId('sdkmessageprocessingstepsecureconfigid'),
  secureconfig: text('secureconfig').notNull(),
  createdon: createdOn(),
  modifiedon: modifiedOn(),
});

export const sdkmessageprocessingstep = airlockTable(
  'sdkmessageprocessingstep',
  {
    sdkmessageprocessingstepid: rowId('sdkmessageprocessingstepid'),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    sdkmessageid: uuid('sdkmessageid')
      .notNull()
      .references(() => sdkmessage.sdkmessageid),
    /** Null: every table that supports the message. */
    sdkmessagefilterid: uuid('sdkmessagefilterid').references(() => sdkmessagefilter.sdkmessagefilterid),
    plugintypeid: uuid('plugintypeid')
      .notNull()
      .references(() => plugintype.plugintypeid),
    stage: integer('stage').notNull(),
    mode: integer('mode').notNull().default(0),
    rank: integer('rank').notNull().default(1),
    filteringattributes: text('filteringattributes').notNull().default(''),
    configuration: text('configuration').notNull().default(''),
    sdkmessageprocessingstepsecureconfigid: uuid('sdkmessageprocessingstepsecureconfigid').references(
      () => sdkmessageprocessingstepsecureconfig.sdkmessageprocessingstepsecureconfigid,
      { onDelete: 'set null' },
    ),
    /** `runas` tells the calling user from SYSTEM from the named user in `impersonatinguserid`. */
    runas: text('runas').notNull().default('calling-user'),
    impersonatinguserid: uuid('impersonatinguserid').references(() => systemuser.systemuserid),
    asyncautodelete: boolean('asyncautodelete').notNull().default(false),
    /** Of an asynchronous step: column of the target whose value orders its jobs, or 'regarding' for the row itself. */
    orderingkey: text('orderingkey'),
    /** Jobs of the step that may run at once, over all dispatchers; null: as many as there are slots. */
    maxconcurrency: integer('maxconcurrency'),
    priority: integer('priority').notNull().default(0),
    supporteddeployment: integer('supporteddeployment').notNull().default(0),
    canbebypassed: boolean('canbebypassed').notNull().default(true),
    statecode: integer('statecode').notNull().default(0),
    statuscode: integer('statuscode').notNull().default(1),
    /** Overrides of the limits of a step, as JSON. */
    limits: jsonb('limits').notNull().default({}),
    /** Name of the bundle whose manifest declares the step; null: made by hand and never touched by a push. */
    managedby: text('managedby'),
    createdon: createdOn(),
    modifiedon: modifiedOn(),
    createdby: uuid('createdby'),
    modifiedby: uuid('modifiedby'),
    versionnumber: versionNumber(),
  },
  (table) => [
    index('step_message').on(table.sdkmessageid),
    index('step_filter').on(table.sdkmessagefilterid),
    index('step_plugintype').on(table.plugintypeid),
    index('step_managedby').on(table.managedby),
    check('step_stage', sql`${table.stage} in (10, 20, 40)`),
    check('step_mode', sql`${table.mode} = 0 or (${table.mode} = 1 and ${table.stage} = 40)`),
    check('step_state', sql`(${table.statecode}, ${table.statuscode}) in ((0, 1), (1, 2))`),
    check(
      'step_run_as',
      sql`(${table.runas} in ('calling-user', 'system') and ${table.impersonatinguserid} is null) or (${table.runas} = 'user' and ${table.impersonatinguserid} is not null)`,
    ),
  ],
);

export const sdkmessageprocessingstepimage = airlockTable(
  'sdkmessageprocessingstepimage',
  {
    sdkmessageprocessingstepimageid: rowId('sdkmessageprocessingstepimageid'),
    sdkmessageprocessingstepid: uuid('sdkmessageprocessingstepid')
      .notNull()
      .references(() => sdkmessageprocessingstep.sdkmessageprocessingstepid, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    entityalias: text('entityalias').notNull(),
    imagetype: integer('imagetype').notNull(),
    messagepropertyname: text('messagepropertyname').notNull(),
    /** Null: every column. */
    attributes: text('attributes'),
    createdon: createdOn(),
    modifiedon: modifiedOn(),
    versionnumber: versionNumber(),
  },
  (table) => [
    uniqueIndex('stepimage_step_alias').on(table.sdkmessageprocessingstepid, table.entityalias),
    check('stepimage_type', sql`${table.imagetype} in (0, 1, 2)`),
  ],
);
