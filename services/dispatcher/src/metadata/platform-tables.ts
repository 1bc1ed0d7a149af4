import type { Choice, Column, ColumnType, Role, Table } from './table.ts';

type Spec = ColumnType | readonly [ColumnType, Partial<Column>];

const choices = (...pairs: readonly (readonly [number, string])[]): readonly Choice[] => pairs.map(([value, label]) => ({ value, label }));
const choice = (...pairs: readonly (readonly [number, string])[]): Spec => ['choice', { choices: choices(...pairs) }];
const lookup = (...targets: readonly string[]): Spec => ['lookup', { targets }];
const label = (logicalName: string): string => logicalName.charAt(0).toUpperCase() + logicalName.slice(1);

interface Description {
  readonly displayName: string;
  readonly entitySetName?: string;
  readonly primaryName: string;
  readonly readableBy: Role;
  /** The least role that may update and delete; what an update may mean is for the table's own rules. */
  readonly changeableBy?: Role;
  readonly writable?: readonly string[];
  readonly columns: Readonly<Record<string, Spec>>;
}

/** Read-only unless it says otherwise: these rows change through their own interfaces, which check what the pipeline cannot. */
function platformTable(logicalName: string, description: Description): Table {
  const { displayName, entitySetName, primaryName, readableBy, changeableBy, writable = [], columns } = description;
  const all: Readonly<Record<string, Spec>> = { [`${logicalName}id`]: 'uuid', ...columns, createdon: 'datetime', versionnumber: 'bigint' };
  const toColumn = ([name, spec]: readonly [string, Spec]): readonly [string, Column] => {
    const [type, rest] = typeof spec === 'string' ? [spec, {}] : spec;
    return [name, { logicalName: name, displayName: label(name), type, required: false, readOnly: !writable.includes(name), ...rest }];
  };
  return {
    logicalName,
    displayName,
    displayCollectionName: `${displayName}s`,
    entitySetName: entitySetName ?? `${logicalName}s`,
    primaryIdAttribute: `${logicalName}id`,
    primaryNameAttribute: primaryName,
    schema: 'airlock',
    columns: new Map(Object.entries(all).map(toColumn)),
    keys: [],
    rights: { create: undefined, read: readableBy, write: changeableBy, delete: changeableBy },
    customStepsAllowed: false,
  };
}

const modeChoice = choice([0, 'Synchronous'], [1, 'Asynchronous']);

/** The platform's own tables that people look at. Code, source maps, manifests, secrets and hashes have no column here. */
export const platformTables: readonly Table[] = [
  platformTable('systemuser', {
    displayName: 'User',
    primaryName: 'fullname',
    readableBy: 'user',
    columns: {
      fullname: 'string',
      internalemailaddress: 'string',
      role: 'string',
      isdisabled: 'boolean',
      businessunitid: 'uuid',
      modifiedon: 'datetime',
      createdby: lookup('systemuser'),
      modifiedby: lookup('systemuser'),
    },
  }),
  platformTable('egresslog', {
    displayName: 'Egress Log Entry',
    primaryName: 'host',
    readableBy: 'operator',
    columns: {
      sdkmessageprocessingstepid: 'uuid',
      stepname: 'string',
      bundlename: 'string',
      bundleversion: 'string',
      systemuserid: lookup('systemuser'),
      scheme: 'string',
      host: 'string',
      port: 'integer',
      method: 'string',
      hop: 'integer',
      httpstatus: 'integer',
      refusal: 'string',
      sentbytes: 'bigint',
      receivedbytes: 'bigint',
      durationms: 'float',
      traceid: 'string',
    },
  }),
  platformTable('pluginassembly', {
    displayName: 'Plug-in Assembly',
    entitySetName: 'pluginassemblies',
    primaryName: 'name',
    readableBy: 'author',
    columns: {
      name: 'string',
      version: 'string',
      digest: 'string',
      description: 'memo',
      isolationmode: choice([1, 'None'], [2, 'Sandbox']),
      stateless: 'boolean',
      iscurrent: 'boolean',
      size: 'integer',
      uploadedon: 'datetime',
      uploadedby: lookup('systemuser'),
      modifiedon: 'datetime',
    },
  }),
  platformTable('plugintype', {
    displayName: 'Plug-in Type',
    primaryName: 'typename',
    readableBy: 'author',
    columns: {
      typename: 'string',
      name: 'string',
      friendlyname: 'string',
      assemblyname: 'string',
      pluginassemblyid: lookup('pluginassembly'),
      modifiedon: 'datetime',
    },
  }),
  platformTable('sdkmessage', {
    displayName: 'Sdk Message',
    primaryName: 'name',
    readableBy: 'author',
    columns: {
      name: 'string',
      categoryname: 'string',
      availability: 'integer',
      autotransact: 'boolean',
      isactive: 'boolean',
      isprivate: 'boolean',
      isreadonly: 'boolean',
      modifiedon: 'datetime',
    },
  }),
  platformTable('sdkmessagefilter', {
    displayName: 'Sdk Message Filter',
    primaryName: 'primaryobjecttypecode',
    readableBy: 'author',
    columns: {
      sdkmessageid: lookup('sdkmessage'),
      primaryobjecttypecode: 'string',
      secondaryobjecttypecode: 'string',
      availability: 'integer',
      iscustomprocessingstepallowed: 'boolean',
      isvisible: 'boolean',
      modifiedon: 'datetime',
    },
  }),
  platformTable('sdkmessageprocessingstep', {
    displayName: 'Sdk Message Processing Step',
    primaryName: 'name',
    readableBy: 'author',
    columns: {
      name: 'string',
      description: 'string',
      sdkmessageid: lookup('sdkmessage'),
      sdkmessagefilterid: lookup('sdkmessagefilter'),
      plugintypeid: lookup('plugintype'),
      stage: choice([10, 'Pre-validation'], [20, 'Pre-operation'], [40, 'Post-operation']),
      mode: modeChoice,
      rank: 'integer',
      filteringattributes: 'memo',
      configuration: 'memo',
      impersonatinguserid: lookup('systemuser'),
      runas: 'string',
      asyncautodelete: 'boolean',
      supporteddeployment: 'integer',
      canbebypassed: 'boolean',
      managedby: 'string',
      statecode: choice([0, 'Enabled'], [1, 'Disabled']),
      statuscode: choice([1, 'Enabled'], [2, 'Disabled']),
      modifiedon: 'datetime',
      createdby: lookup('systemuser'),
      modifiedby: lookup('systemuser'),
    },
  }),
  platformTable('sdkmessageprocessingstepimage', {
    displayName: 'Sdk Message Processing Step Image',
    primaryName: 'name',
    readableBy: 'author',
    columns: {
      name: 'string',
      entityalias: 'string',
      imagetype: choice([0, 'PreImage'], [1, 'PostImage'], [2, 'Both']),
      messagepropertyname: 'string',
      attributes: 'memo',
      sdkmessageprocessingstepid: lookup('sdkmessageprocessingstep'),
      modifiedon: 'datetime',
    },
  }),
  platformTable('plugintracelog', {
    displayName: 'Plug-in Trace Log',
    primaryName: 'typename',
    readableBy: 'author',
    columns: {
      typename: 'string',
      messagename: 'string',
      primaryentity: 'string',
      primaryentityid: 'uuid',
      mode: modeChoice,
      operationtype: choice([0, 'Unknown'], [1, 'Plug-in'], [2, 'Workflow Activity']),
      depth: 'integer',
      stage: 'integer',
      configuration: 'memo',
      messageblock: 'memo',
      messageblocktruncated: 'boolean',
      exceptiondetails: 'memo',
      performanceconstructorstarttime: 'datetime',
      performanceconstructorduration: 'integer',
      performanceexecutionstarttime: 'datetime',
      performanceexecutionduration: 'integer',
      correlationid: 'uuid',
      requestid: 'uuid',
      pluginstepid: 'uuid',
      stepname: 'string',
      asyncoperationid: lookup('asyncoperation'),
      attempt: 'integer',
      issystemcreated: 'boolean',
      traceid: 'string',
      reference: 'string',
      bundlename: 'string',
      bundleversion: 'string',
      bundledigest: 'string',
      failurekind: 'string',
      errorcode: 'string',
      wallms: 'float',
      cpums: 'float',
      heapbytes: 'bigint',
      residentbytes: 'bigint',
      hostcalls: 'integer',
      hostcallbytes: 'bigint',
      startkind: 'string',
      workerid: 'string',
      userid: lookup('systemuser'),
      createdby: lookup('systemuser'),
    },
  }),
  platformTable('asyncoperation', {
    displayName: 'System Job',
    primaryName: 'name',
    readableBy: 'author',
    changeableBy: 'author',
    writable: ['statecode', 'statuscode', 'postponeuntil'],
    columns: {
      name: 'string',
      operationtype: choice([1, 'System Event']),
      statecode: choice([0, 'Ready'], [1, 'Suspended'], [2, 'Locked'], [3, 'Completed']),
      statuscode: choice(
        [0, 'Waiting For Resources'],
        [10, 'Waiting'],
        [20, 'In Progress'],
        [21, 'Pausing'],
        [22, 'Canceling'],
        [30, 'Succeeded'],
        [31, 'Failed'],
        [32, 'Canceled'],
      ),
      messagename: 'string',
      primaryentitytype: 'string',
      regardingobjectid: 'uuid',
      regardingobjectidtype: 'string',
      owningextensionid: lookup('sdkmessageprocessingstep'),
      correlationid: 'uuid',
      requestid: 'uuid',
      parentpluginexecutionid: 'uuid',
      depth: 'integer',
      dependencytoken: 'string',
      priority: 'integer',
      postponeuntil: 'datetime',
      waitingfor: 'string',
      asyncautodelete: 'boolean',
      friendlymessage: 'memo',
      message: 'memo',
      errorcode: 'integer',
      retrycount: 'integer',
      startedon: 'datetime',
      completedon: 'datetime',
      executiontimespan: 'float',
      sequence: 'bigint',
      hostid: 'string',
      attempt: 'integer',
      leaseuntil: 'datetime',
      dispatcherid: 'string',
      pool: 'string',
      bundledigest: 'string',
      traceparent: 'string',
      modifiedon: 'datetime',
      ownerid: lookup('systemuser'),
      createdby: lookup('systemuser'),
      modifiedby: lookup('systemuser'),
    },
  }),
];
