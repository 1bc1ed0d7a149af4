import { PlatformError } from '@airlock/protocol';
import type { Table } from '../metadata/table.ts';
import { type PathSegment, parseDataPath } from './data-path.ts';
import { type DataRequest, type DataServices, notImplemented } from './data-request.ts';
import { entityDefinitions, jsonAnswer } from './entity-definitions.ts';
import { type HttpAnswer, JSON_TYPE } from './fault-response.ts';
import { count, list } from './list.ts';
import { checkOptionNames } from './list-options.ts';
import { retrieve } from './retrieve.ts';
import { create, remove, upsert } from './write.ts';

/** What the API has and Airlock not yet. Any other name of this form is no resource of either. */
const LATER_RESOURCES: ReadonlySet<string> = new Set(['$batch', '$metadata', '$ref', '$value', '$links']);

/** Answers one Web API request; `path` is what follows the service root, still encoded. */
export async function answerData(request: DataRequest, services: DataServices, path: string): Promise<HttpAnswer> {
  const [first, second, ...rest] = parseDataPath(path);
  if (first === undefined) return serviceDocument(request, services);
  if (LATER_RESOURCES.has(first.name)) throw notImplemented(first.name);
  if (first.name === 'WhoAmI') return whoAmI(request, services, path, second);
  if (first.name === 'EntityDefinitions') {
    if (second !== undefined) throw notImplemented(`EntityDefinitions/${second.name}`);
    requireMethod(request, path, 'GET');
    return entityDefinitions(request, services, first.key);
  }
  const table = services.metadata.bySetName.get(first.name);
  if (table === undefined) throw new PlatformError('SEGMENT_NOT_FOUND', { segment: first.name });
  if (second === undefined) return answerRows(request, services, table, first, path);
  if (second.name === '$count' && first.key === undefined && rest.length === 0) {
    requireMethod(request, path, 'GET');
    return count(request, services, table);
  }
  if (LATER_RESOURCES.has(second.name) || table.columns.has(second.name)) throw notImplemented(`the path ${first.name}/${second.name}`);
  throw new PlatformError('SEGMENT_NOT_FOUND', { segment: second.name });
}

function answerRows(request: DataRequest, services: DataServices, table: Table, { key }: PathSegment, path: string): Promise<HttpAnswer> {
  checkOptionNames(request.options);
  if (key === undefined) {
    if (request.method === 'GET') return list(request, services, table);
    if (request.method === 'POST') return create(request, services, table);
    throw wrongMethod(request, path);
  }
  switch (request.method) {
    case 'GET':
      return retrieve(request, services, table, key);
    case 'PATCH':
    case 'PUT':
      return upsert(request, services, table, key);
    case 'DELETE':
      return remove(request, services, table, key);
    default:
      throw wrongMethod(request, path);
  }
}

function whoAmI(request: DataRequest, services: DataServices, path: string, second: PathSegment | undefined): HttpAnswer {
  if (second !== undefined) throw new PlatformError('SEGMENT_NOT_FOUND', { segment: second.name });
  requireMethod(request, path, 'GET');
  return jsonAnswer({
    '@odata.context': `${request.root}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse`,
    BusinessUnitId: services.organization.businessUnitId,
    UserId: request.caller.userId,
    OrganizationId: services.organization.organizationId,
  });
}

function serviceDocument(request: DataRequest, services: DataServices): HttpAnswer {
  requireMethod(request, '', 'GET');
  const sets = [...services.metadata.bySetName.keys()].toSorted();
  const value = sets.map((name) => ({ name, kind: 'EntitySet', url: name }));
  return { status: 200, headers: { 'Content-Type': JSON_TYPE }, body: JSON.stringify({ '@odata.context': `${request.root}$metadata`, value }) };
}

function requireMethod(request: DataRequest, path: string, method: 'GET'): void {
  if (request.method !== method) throw wrongMethod(request, path);
}

function wrongMethod(request: DataRequest, path: string): PlatformError {
  return new PlatformError('REQUEST_URI_NOT_FOUND', { uri: `${request.root}${path}`.slice(0, 1_024) });
}
