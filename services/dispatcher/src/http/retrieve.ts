import type { Entity } from '@airlock/pipeline';
import type { Table } from '../metadata/table.ts';
import { etagOf } from './conditions.ts';
import type { RowKey } from './data-path.ts';
import { type DataRequest, type DataServices, parameters, referenceTo, runMessage } from './data-request.ts';
import { type HttpAnswer, JSON_TYPE } from './fault-response.ts';
import { parseSelect } from './list-options.ts';
import { columnsToRead, contextUrl, type RecordShape, recordJson, versionOf } from './record-json.ts';
import { resolveRow, rowMissing } from './resolve-row.ts';

/** `GET accounts(<key>)?$select=`. */
export async function retrieve(request: DataRequest, services: DataServices, table: Table, key: RowKey): Promise<HttpAnswer> {
  const shape = shapeOf(request, services, table);
  const address = await resolveRow(request, services, table, key);
  if (!address.found) throw rowMissing(table, address.text);
  const entity = await readRow(request, services, shape, address.id);
  const version = versionOf(entity);
  const { noneMatch } = request.conditions;
  // An answer with annotations depends on more than the row's version, so it is never "not modified".
  if (version !== undefined && version === noneMatch && shape.annotations.length === 0) {
    return { status: 304, headers: { ETag: etagOf(version) }, body: undefined };
  }
  return recordAnswer(200, request, entity, shape);
}

export function shapeOf(request: DataRequest, services: DataServices, table: Table): RecordShape {
  return {
    table,
    selected: parseSelect(request.options.get('$select'), table),
    annotations: request.preferences.annotations,
    metadata: services.metadata,
  };
}

export async function readRow(request: DataRequest, services: DataServices, shape: RecordShape, id: string): Promise<Entity> {
  const columns = columnsToRead(shape);
  const inputParameters = parameters({ Target: referenceTo(shape.table, id), ...(columns === undefined ? {} : { ColumnSet: columns }) });
  const output = await runMessage(request, services, { messageName: 'Retrieve', table: shape.table, inputParameters });
  // The contract of Retrieve: `{BusinessEntity: Entity}`.
  return output['BusinessEntity'] as unknown as Entity;
}

export function recordAnswer(status: 200 | 201, request: DataRequest, entity: Entity, shape: RecordShape): HttpAnswer {
  const version = versionOf(entity);
  const body = { '@odata.context': contextUrl(request.root, shape, 'row'), ...recordJson(entity, shape) };
  return {
    status,
    headers: { 'Content-Type': JSON_TYPE, ...(version === undefined ? {} : { ETag: etagOf(version) }) },
    body: JSON.stringify(body),
  };
}
