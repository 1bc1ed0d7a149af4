import type { AttributeValue, Entity, EntityReference, Fault, ParameterCollection } from '@airlock/pipeline';
import type { MessageRequest, MessageResponse } from '../execute-message/message.ts';
import type { Column, ColumnType, Metadata, Table } from '../metadata/table.ts';
import type { Filter, RecordQuery } from '../records/record-query.ts';

/** For tests of the HTTP side only: two small tables, and rows in memory behind the contract of `executeMessage`. */
const column = (logicalName: string, type: ColumnType, more: Partial<Column> = {}): Column => ({
  logicalName,
  displayName: logicalName,
  type,
  required: false,
  readOnly: false,
  ...more,
});

function table(logicalName: string, columns: readonly Column[], keys: Table['keys'] = []): Table {
  const all = [
    column(`${logicalName}id`, 'uuid'),
    ...columns,
    column('createdon', 'datetime', { readOnly: true }),
    column('versionnumber', 'bigint', { readOnly: true }),
  ];
  return {
    logicalName,
    displayName: `${logicalName.charAt(0).toUpperCase()}${logicalName.slice(1)}`,
    displayCollectionName: `${logicalName}s`,
    entitySetName: `${logicalName}s`,
    primaryIdAttribute: `${logicalName}id`,
    primaryNameAttribute: columns[0]?.logicalName ?? '',
    schema: 'data',
    columns: new Map(all.map((one) => [one.logicalName, one])),
    keys,
    rights: { create: 'user', read: 'user', write: 'user', delete: 'user' },
    customStepsAllowed: true,
  };
}

export const accountTable = table(
  'account',
  [
    column('name', 'string', { maxLength: 160 }),
    column('accountnumber', 'string', { maxLength: 20 }),
    column('creditlimit', 'decimal', { scale: 2 }),
    column('score', 'float'),
    column('numberofemployees', 'integer'),
    column('donotphone', 'boolean'),
    column('industrycode', 'choice', {
      choices: [
        { value: 1, label: 'Accounting' },
        { value: 2, label: 'Farming' },
      ],
    }),
    column('interests', 'multichoice', {
      choices: [
        { value: 1, label: 'Bus' },
        { value: 2, label: 'Rail' },
      ],
    }),
    column('primarycontactid', 'lookup', { targets: ['contact'] }),
    column('regardingobjectid', 'lookup', { targets: ['account', 'contact'] }),
  ],
  [{ logicalName: 'number', columns: ['accountnumber'] }],
);
export const contactTable = table(
  'contact',
  [column('lastname', 'string'), column('emailaddress1', 'string')],
  [{ logicalName: 'mail', columns: ['emailaddress1'] }],
);

const tables = [accountTable, contactTable];
export const fixtureMetadata: Metadata = {
  version: 1,
  tables: new Map(tables.map((one) => [one.logicalName, one])),
  bySetName: new Map(tables.map((one) => [one.entitySetName, one])),
};

export interface RecordFixture {
  readonly executeMessage: (request: MessageRequest) => Promise<MessageResponse>;
  readonly requests: MessageRequest[];
  /** When set, the next message ends in it. */
  nextFault: Fault | undefined;
}

interface Row {
  readonly id: string;
  readonly attributes: Record<string, AttributeValue>;
}

export function createRecordFixture(): RecordFixture {
  const rows = new Map<string, Row>();
  let clock = 0;
  const place = (request: MessageRequest, id: string) => `${request.table.logicalName} ${id}`;

  const write = (request: MessageRequest, id: string, attributes: Entity['attributes']): void => {
    const row = rows.get(place(request, id)) ?? { id, attributes: { createdon: '2026-01-31T12:00:00.000Z' } };
    Object.assign(row.attributes, attributes, { [request.table.primaryIdAttribute]: id, versionnumber: ++clock });
    rows.set(place(request, id), row);
  };
  const missing = (request: MessageRequest, id: string) => fault(404, '0x80040217', `${request.table.displayName} With Id = ${id} Does Not Exist`);
  const newId = (): string => `00000000-0000-4000-8000-${String(rows.size + 1).padStart(12, '0')}`;

  const run = (request: MessageRequest): ParameterCollection | Fault => {
    const target = request.inputParameters['Target'] as unknown as Entity & EntityReference;
    const version = request.inputParameters['RowVersion'];
    const known = target?.id === undefined ? undefined : rows.get(place(request, target.id));
    const stale = known !== undefined && typeof version === 'number' && known.attributes['versionnumber'] !== version;
    if (stale) return fault(412, '0x80060882', "The version of the existing record doesn't match the RowVersion property provided.");
    switch (request.messageName) {
      case 'Create': {
        if (known !== undefined) return fault(412, '0x80040237', 'A record with matching key values already exists.');
        const id = target.id ?? newId();
        write(request, id, target.attributes);
        return { id };
      }
      case 'Update':
        if (known === undefined) return missing(request, target.id);
        write(request, target.id, target.attributes);
        return {};
      case 'Upsert':
        write(request, target.id, target.attributes);
        return { id: target.id, created: known === undefined };
      case 'Delete':
        return rows.delete(place(request, target.id)) ? {} : missing(request, target.id);
      case 'Retrieve':
        return known === undefined ? missing(request, target.id) : json({ BusinessEntity: entityOf(request, known) });
      case 'RetrieveMultiple':
        return json({ BusinessEntityCollection: select(request, [...rows.entries()]) });
      default:
        return request.messageName satisfies never;
    }
  };

  const fixture: RecordFixture = {
    requests: [],
    nextFault: undefined,
    async executeMessage(request) {
      fixture.requests.push(request);
      const planned = fixture.nextFault;
      fixture.nextFault = undefined;
      const outcome = planned ?? run(request);
      return 'httpStatus' in outcome
        ? { ok: false, fault: { ...(outcome as Fault), traceId: request.trace.traceId } }
        : { ok: true, outputParameters: outcome, traceId: request.trace.traceId };
    },
  };
  return fixture;
}

export function fault(httpStatus: number, code: string, message: string, more: Partial<Fault> = {}): Fault {
  return { code, httpStatus, message, retriable: false, traceId: '', reference: 'abcdef01', ...more };
}

const json = (value: object): ParameterCollection => value as ParameterCollection;

function entityOf({ table: { logicalName } }: MessageRequest, row: Row): Entity {
  return { logicalName, id: row.id, attributes: { ...row.attributes } };
}

function select(request: MessageRequest, all: readonly (readonly [string, Row])[]) {
  const query = request.inputParameters['Query'] as unknown as RecordQuery;
  const found = all
    .filter(([place]) => place.startsWith(`${request.table.logicalName} `))
    .map(([, row]) => row)
    .filter((row) => query.filter === undefined || holds(row, query.filter));
  const start = query.skipToken === undefined ? 0 : Number(query.skipToken);
  const end = start + (query.top ?? found.length);
  return {
    entities: found.slice(start, end).map((row) => entityOf(request, row)),
    moreRecords: end < found.length,
    totalRecordCount: query.count === true ? found.length : -1,
    ...(end < found.length ? { skipToken: String(end) } : {}),
  };
}

function holds(row: Row, filter: Filter): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.filters.every((inner) => holds(row, inner));
    case 'or':
      return filter.filters.some((inner) => holds(row, inner));
    case 'not':
      return !holds(row, filter.filter);
    case 'compare': {
      const value = row.attributes[filter.column] ?? null;
      const plain = typeof value === 'object' && value !== null && 'id' in value ? value.id : value;
      return filter.operator === 'ne' ? plain !== filter.value : plain === filter.value;
    }
    default:
      return true;
  }
}
