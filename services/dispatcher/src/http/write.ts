import { PlatformError } from '@airlock/protocol';
import type { Table } from '../metadata/table.ts';
import { coerceAttributes } from '../records/coerce-attributes.ts';
import type { RowKey } from './data-path.ts';
import { type DataRequest, type DataServices, FaultError, parameters, referenceTo, rowUrl, runMessage } from './data-request.ts';
import type { HttpAnswer } from './fault-response.ts';
import { type RecordPayload, readPayload } from './read-payload.ts';
import { resolveRow, rowExists, rowMissing } from './resolve-row.ts';
import { readRow, recordAnswer, shapeOf } from './retrieve.ts';

/** `POST accounts`. */
export async function create(request: DataRequest, services: DataServices, table: Table): Promise<HttpAnswer> {
  const shape = shapeOf(request, services, table);
  const payload = await readPayload(request, services, table, 'create');
  const id = await createRow(request, services, table, payload);
  return written(request, services, { shape, id, created: true });
}

/**
 * `PATCH accounts(<key>)` and `PUT`. Rule (web-api T5): without a condition a missing row is created; `If-Match: *` only updates,
 * `If-None-Match: *` only creates, an ETag in `If-Match` only updates that version.
 */
export async function upsert(request: DataRequest, services: DataServices, table: Table, key: RowKey): Promise<HttpAnswer> {
  const { match, noneMatch } = request.conditions;
  if (typeof noneMatch === 'number') throw new PlatformError('INVALID_ARGUMENT', { problem: 'If-None-Match of a write must be *.' });
  const shape = shapeOf(request, services, table);
  const payload = await readPayload(request, services, table, 'update');
  const address = await resolveRow(request, services, table, key);
  if (!address.found) {
    if (match !== 'any') throw rowMissing(table, address.text);
    const attributes = { ...payload.attributes, ...coerceAttributes(services.metadata, table, address.keyValues, 'create') };
    const id = await createRow(request, services, table, { id: payload.id, attributes });
    return written(request, services, { shape, id, created: true });
  }
  const { id } = address;
  if (payload.id !== undefined && payload.id !== id) {
    throw new PlatformError('INVALID_VALUE', {
      set: table.entitySetName,
      column: table.primaryIdAttribute,
      problem: 'differs from the row in the path',
    });
  }
  const target = { ...referenceTo(table, id), attributes: payload.attributes };
  if (noneMatch === 'absent') {
    // An alternate key that found a row already says that the row exists.
    // By id it is asked for first, so that a payload which could only update says the same; two at once meet in the database.
    if (key.by === 'columns' || (await rowExists(request, services, table, id))) throw new PlatformError('DUPLICATE_RECORD');
    await createRow(request, services, table, { id, attributes: payload.attributes });
    return written(request, services, { shape, id, created: true });
  }
  if (match === 'any' && key.by === 'id') {
    const output = await runMessage(request, services, { messageName: 'Upsert', table, inputParameters: parameters({ Target: target }) });
    return written(request, services, { shape, id, created: output['created'] === true });
  }
  const inputParameters = parameters({ Target: target, ...(typeof match === 'number' ? { RowVersion: match } : {}) });
  await runMessage(request, services, { messageName: 'Update', table, inputParameters });
  return written(request, services, { shape, id, created: false });
}

/** `DELETE accounts(<key>)`. */
export async function remove(request: DataRequest, services: DataServices, table: Table, key: RowKey): Promise<HttpAnswer> {
  const { match } = request.conditions;
  const address = await resolveRow(request, services, table, key);
  if (!address.found) throw rowMissing(table, address.text);
  const inputParameters = parameters({ Target: referenceTo(table, address.id), ...(typeof match === 'number' ? { RowVersion: match } : {}) });
  await runMessage(request, services, { messageName: 'Delete', table, inputParameters });
  return { status: 204, headers: {}, body: undefined };
}

async function createRow(request: DataRequest, services: DataServices, table: Table, { id, attributes }: RecordPayload): Promise<string> {
  const target = { logicalName: table.logicalName, ...(id === undefined ? {} : { id }), attributes };
  const output = await runMessage(request, services, { messageName: 'Create', table, inputParameters: parameters({ Target: target }) });
  return String(output['id']);
}

interface Written {
  readonly shape: ReturnType<typeof shapeOf>;
  readonly id: string;
  readonly created: boolean;
}

async function written(request: DataRequest, services: DataServices, { shape, id, created }: Written): Promise<HttpAnswer> {
  const url = rowUrl(request, shape.table, id);
  const headers = { 'OData-EntityId': url, ...(created ? { Location: url } : {}) };
  const entity = request.preferences.returnRepresentation ? await readBack(request, services, shape, id) : undefined;
  if (entity === undefined) return { status: 204, headers, body: undefined };
  const answer = recordAnswer(created ? 201 : 200, request, entity, shape);
  return { ...answer, headers: { ...answer.headers, ...headers, 'Preference-Applied': 'return=representation' } };
}

/** The write is committed: a caller that may not read the row back, or a failing Retrieve, must not make it look failed. */
async function readBack(request: DataRequest, services: DataServices, shape: Written['shape'], id: string) {
  try {
    return await readRow(request, services, shape, id);
  } catch (error) {
    if (error instanceof FaultError || error instanceof PlatformError) return undefined;
    throw error;
  }
}
