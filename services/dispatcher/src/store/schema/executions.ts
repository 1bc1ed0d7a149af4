import { sql } from 'drizzle-orm';
import { bigint, boolean, check, doublePrecision, index, integer, text, uuid } from 'drizzle-orm/pg-core';
import { airlockTable, createdOn, instant, modifiedOn, rowId, versionNumber } from './columns.ts';

/** One row an execution, written outside the operation's transaction. Rows are never changed; a retention job deletes old ones. */
export const plugintracelog = airlockTable(
  'plugintracelog',
  {
    plugintracelogid: rowId('plugintracelogid'),
    typename: text('typename').notNull(),
    messagename: text('messagename').notNull(),
    primaryentity: text('primaryentity').notNull(),
    primaryentityid: uuid('primaryentityid'),
    mode: integer('mode').notNull(),
    operationtype: integer('operationtype').notNull().default(1),
    depth: integer('depth').notNull(),
    stage: integer('stage').notNull(),
    configuration: text('configuration').notNull().default(''),
    messageblock: text('messageblock').notNull().default(''),
    messageblocktruncated: boolean('messageblocktruncated').notNull().default(false),
    exceptiondetails: text('exceptiondetails').notNull().default(''),
    performanceconstructorstarttime: instant('performanceconstructorstarttime'),
    performanceconstructorduration: integer('performanceconstructorduration'),
    performanceexecutionstarttime: instant('performanceexecutionstarttime').notNull(),
    performanceexecutionduration: integer('performanceexecutionduration').notNull(),
    correlationid: uuid('correlationid').notNull(),
    requestid: uuid('requestid'),
    pluginstepid: uuid('pluginstepid').notNull(),
    stepname: text('stepname').notNull(),
    asyncoperationid: uuid('asyncoperationid'),
    attempt: integer('attempt'),
    issystemcreated: boolean('issystemcreated').notNull().default(false),
    /** 32 hexadecimal digits of the W3C trace. */
    traceid: text('traceid').notNull(),
    /** What the fault showed to the user: leads here. */
    reference: text('reference'),
    bundlename: text('bundlename').notNull(),
    bundleversion: text('bundleversion').notNull(),
    bundledigest: text('bundledigest').notNull(),
    /** `<origin>/<kind>` of the failure; null: it succeeded. */
    failurekind: text('failurekind'),
    errorcode: text('errorcode'),
    /** The receipt: what the execution used. */
    wallms: doublePrecision('wallms'),
    cpums: doublePrecision('cpums'),
    heapbytes: bigint('heapbytes', { mode: 'number' }),
    residentbytes: bigint('residentbytes', { mode: 'number' }),
    hostcalls: integer('hostcalls'),
    hostcallbytes: bigint('hostcallbytes', { mode: 'number' }),
    startkind: text('startkind'),
    workerid: text('workerid'),
    userid: uuid('userid'),
    createdon: createdOn(),
    createdby: uuid('createdby'),
    versionnumber: versionNumber(),
  },
  (table) => [
    index('plugintracelog_created').on(table.createdon),
    index('plugintracelog_trace').on(table.traceid),
    index('plugintracelog_reference').on(table.reference).where(sql`${table.reference} is not null`),
    index('plugintracelog_correlation').on(table.correlationid),
    index('plugintracelog_step').on(table.pluginstepid, table.createdon),
    index('plugintracelog_failed').on(table.createdon).where(sql`${table.failurekind} is not null`),
  ],
);

/** A system job: the row is the queue and the truth (design.md §3). State numbers are the platform's. */
export const asyncoperation = airlockTable(
  'asyncoperation',
  {
    asyncoperationid: rowId('asyncoperationid'),
    name: text('name').notNull(),
    operationtype: integer('operationtype').notNull().default(1),
    statecode: integer('statecode').notNull().default(0),
    statuscode: integer('statuscode').notNull().default(0),
    messagename: text('messagename').notNull(),
    primaryentitytype: text('primaryentitytype').notNull(),
    regardingobjectid: uuid('regardingobjectid'),
    regardingobjectidtype: text('regardingobjectidtype'),
    owningextensionid: uuid('owningextensionid').notNull(),
    correlationid: uuid('correlationid').notNull(),
    requestid: uuid('requestid'),
    parentpluginexecutionid: uuid('parentpluginexecutionid'),
    depth: integer('depth').notNull(),
    /** What an attempt needs (`JobData`) as JSON text; passed on, never searched. Compressed by lz4 where the server has it. */
    data: text('data').notNull(),
    /** Ordering key: of the jobs with the same one, one runs at a time, in the order of `sequence`. */
    dependencytoken: text('dependencytoken'),
    /** Share of its step when several have jobs waiting: a step with priority 3 gets four times the turns of one with 0. */
    priority: integer('priority').notNull().default(0),
    postponeuntil: instant('postponeuntil'),
    /** Why a job with statecode 1 waits, and whether one with statuscode 21 was postponed. */
    waitingfor: text('waitingfor'),
    asyncautodelete: boolean('asyncautodelete').notNull().default(false),
    friendlymessage: text('friendlymessage'),
    message: text('message'),
    errorcode: integer('errorcode'),
    retrycount: integer('retrycount').notNull().default(0),
    startedon: instant('startedon'),
    completedon: instant('completedon'),
    /** Milliseconds. */
    executiontimespan: doublePrecision('executiontimespan'),
    sequence: bigint('sequence', { mode: 'number' }).generatedAlwaysAsIdentity(),
    hostid: text('hostid'),
    /** Number of the try that runs or ran last; 0 before the first. */
    attempt: integer('attempt').notNull().default(0),
    /** New for each claim; the right to write the job's result, and the id of its attempt. */
    leaseid: uuid('leaseid'),
    leaseuntil: instant('leaseuntil'),
    dispatcherid: text('dispatcherid'),
    pool: text('pool').notNull().default('default'),
    bundledigest: text('bundledigest').notNull(),
    traceparent: text('traceparent'),
    ownerid: uuid('ownerid').notNull(),
    createdon: createdOn(),
    createdby: uuid('createdby').notNull(),
    modifiedon: modifiedOn(),
    modifiedby: uuid('modifiedby'),
    versionnumber: versionNumber(),
  },
  (table) => [
    // A step's jobs in their order; only jobs that may start are in it, so it stays as small as the backlog.
    index('asyncoperation_ready')
      .on(table.pool, table.owningextensionid, table.sequence)
      .where(sql`${table.statecode} = 0 and ${table.dependencytoken} is null`),
    index('asyncoperation_ordered')
      .on(table.pool, table.dependencytoken, table.sequence)
      .where(sql`${table.statecode} < 3 and ${table.dependencytoken} is not null`),
    index('asyncoperation_ordered_running').on(table.dependencytoken).where(sql`${table.statecode} = 2 and ${table.dependencytoken} is not null`),
    index('asyncoperation_due').on(table.postponeuntil).where(sql`${table.statecode} = 1`),
    // Not by `leaseuntil`: a heartbeat that changes no indexed column touches no index.
    index('asyncoperation_running').on(table.owningextensionid).where(sql`${table.statecode} = 2`),
    index('asyncoperation_completed').on(table.completedon).where(sql`${table.statecode} = 3`),
    index('asyncoperation_created').on(table.createdon),
    index('asyncoperation_regarding').on(table.regardingobjectid).where(sql`${table.regardingobjectid} is not null`),
    index('asyncoperation_correlation').on(table.correlationid),
    index('asyncoperation_step').on(table.owningextensionid),
    check(
      'asyncoperation_state',
      sql`(${table.statecode}, ${table.statuscode}) in ((0, 0), (1, 10), (2, 20), (2, 21), (2, 22), (3, 30), (3, 31), (3, 32))`,
    ),
    check('asyncoperation_lease', sql`(${table.statecode} = 2) = (${table.leaseid} is not null)`),
  ],
);

/** One row for each try of a system job that has ended; the one that runs is in the job's own row. */
export const asyncoperationattempt = airlockTable(
  'asyncoperationattempt',
  {
    /** The lease under which it ran. */
    asyncoperationattemptid: uuid('asyncoperationattemptid').primaryKey(),
    asyncoperationid: uuid('asyncoperationid').notNull(),
    attempt: integer('attempt').notNull(),
    /** False: given back (shutdown, no worker), so another attempt has the same number. */
    counted: boolean('counted').notNull(),
    dispatcherid: text('dispatcherid').notNull(),
    workerid: text('workerid'),
    startedon: instant('startedon').notNull(),
    endedon: instant('endedon').notNull(),
    /** `statuscode` to which the attempt brought its job. */
    result: integer('result').notNull(),
    /** `<origin>/<kind>`; null: it succeeded. */
    failurekind: text('failurekind'),
    errorcode: integer('errorcode'),
    message: text('message'),
    traceid: text('traceid').notNull(),
    wallms: doublePrecision('wallms'),
    cpums: doublePrecision('cpums'),
    heapbytes: bigint('heapbytes', { mode: 'number' }),
    residentbytes: bigint('residentbytes', { mode: 'number' }),
    hostcalls: integer('hostcalls'),
    hostcallbytes: bigint('hostcallbytes', { mode: 'number' }),
    startkind: text('startkind'),
  },
  (table) => [index('asyncoperationattempt_job').on(table.asyncoperationid, table.attempt)],
);
