import type { Entity } from '@airlock/pipeline';
import { z } from 'zod';
import type { Table } from '../metadata/table.ts';
import type { RecordQuery } from '../records/record-query.ts';
import { decodeContinuation, encodeContinuation } from './continuation.ts';
import { type DataRequest, type DataServices, parameters, runMessage } from './data-request.ts';
import { type HttpAnswer, JSON_TYPE } from './fault-response.ts';
import { checkOptionNames, parseCount, parseSelect, parseTop, queryOf } from './list-options.ts';
import { columnsToRead, contextUrl, type RecordShape, recordJson } from './record-json.ts';

/** One page, as it was asked for directly or by following a next link. */
interface Page {
  readonly options: ReadonlyMap<string, string>;
  readonly skipToken: string | undefined;
  readonly pageSize: number;
  /** Rows that `$top` still allows, this page included. */
  readonly remaining: number | undefined;
}

/** The contract of RetrieveMultiple; the rows come from our own store. */
const Collection = z.object({
  entities: z.array(z.custom<Entity>()),
  moreRecords: z.boolean(),
  totalRecordCount: z.number().nullish(),
  skipToken: z.string().nullish(),
});
type Collection = z.output<typeof Collection>;

const CARRIED = ['$select', '$filter', '$orderby', '$count', 'tag'] as const;

/** `GET accounts?$select&$filter&$orderby&$top&$count`. */
export async function list(request: DataRequest, services: DataServices, table: Table): Promise<HttpAnswer> {
  const page = pageOf(request, services);
  const shape: RecordShape = {
    table,
    selected: parseSelect(page.options.get('$select'), table),
    annotations: request.preferences.annotations,
    metadata: services.metadata,
  };
  const wantsCount = parseCount(page.options.get('$count'));
  const rows = Math.min(page.pageSize, page.remaining ?? page.pageSize);
  const columns = columnsToRead(shape);
  const found = await retrieveMultiple({ ...request, options: page.options }, services, table, {
    ...queryOf(page.options, table),
    ...(columns === undefined ? {} : { columns }),
    // A page of no rows still counts, and a query asks for one row at least.
    top: Math.max(1, rows),
    ...(wantsCount ? { count: true } : {}),
    ...(page.skipToken === undefined ? {} : { skipToken: page.skipToken }),
  });
  const entities = found.entities.slice(0, rows);
  const nextLink = nextLinkOf(request, table, page, found, entities.length);
  const body = {
    '@odata.context': contextUrl(request.root, shape, 'rows'),
    ...(wantsCount && typeof found.totalRecordCount === 'number' ? { '@odata.count': found.totalRecordCount } : {}),
    value: entities.map((entity) => recordJson(entity, shape)),
    ...(nextLink === undefined ? {} : { '@odata.nextLink': nextLink }),
  };
  const { maxPageSize } = request.preferences;
  const applied = maxPageSize === undefined ? {} : { 'Preference-Applied': `odata.maxpagesize=${page.pageSize}` };
  return { status: 200, headers: { 'Content-Type': JSON_TYPE, ...applied }, body: JSON.stringify(body) };
}

/** `GET accounts/$count`: the number alone, as text. */
export async function count(request: DataRequest, services: DataServices, table: Table): Promise<HttpAnswer> {
  checkOptionNames(request.options);
  const query = { columns: [table.primaryIdAttribute], ...queryOf(request.options, table), top: 1, count: true };
  const found = await retrieveMultiple(request, services, table, query);
  return { status: 200, headers: { 'Content-Type': 'text/plain' }, body: String(found.totalRecordCount ?? 0) };
}

function pageOf({ options, preferences }: DataRequest, { limits }: DataServices): Page {
  const token = options.get('$skiptoken');
  if (token !== undefined) {
    const { options: carried, skipToken, pageSize, remaining } = decodeContinuation(token);
    return { options: new Map(Object.entries(carried)), skipToken, pageSize: Math.min(pageSize, limits.pageRows), remaining };
  }
  checkOptionNames(options);
  return {
    options,
    skipToken: undefined,
    pageSize: Math.min(preferences.maxPageSize ?? limits.pageRows, limits.pageRows),
    remaining: parseTop(options.get('$top'), limits.pageRows),
  };
}

async function retrieveMultiple(request: DataRequest, services: DataServices, table: Table, query: RecordQuery): Promise<Collection> {
  const output = await runMessage(request, services, { messageName: 'RetrieveMultiple', table, inputParameters: parameters({ Query: query }) });
  return Collection.parse(output['BusinessEntityCollection']);
}

function nextLinkOf(request: DataRequest, table: Table, page: Page, found: Collection, shown: number): string | undefined {
  const remaining = page.remaining === undefined ? undefined : page.remaining - shown;
  if (!found.moreRecords || typeof found.skipToken !== 'string' || (remaining !== undefined && remaining < 1)) return undefined;
  const options: Record<string, string> = {};
  for (const name of CARRIED) {
    const value = page.options.get(name);
    if (value !== undefined) options[name] = value;
  }
  const token = encodeContinuation({
    version: 1,
    options,
    skipToken: found.skipToken,
    pageSize: page.pageSize,
    ...(remaining === undefined ? {} : { remaining }),
  });
  return `${request.root}${table.entitySetName}?$skiptoken=${token}`;
}
