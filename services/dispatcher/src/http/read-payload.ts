import type { Attributes, EntityReference } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import type { Column, Table } from '../metadata/table.ts';
import { coerceAttributes } from '../records/coerce-attributes.ts';
import { isGuid, parseDataPath } from './data-path.ts';
import type { DataRequest, DataServices } from './data-request.ts';
import { InexactNumber, isJsonObject, type Json, readJson } from './read-json.ts';
import { resolveRow, rowMissing } from './resolve-row.ts';

/** A record as a request body describes it. */
export interface RecordPayload {
  /** The primary key, where the payload has it. */
  readonly id: string | undefined;
  readonly attributes: Attributes;
}

const BIND = '@odata.bind';
const MAX_PROPERTIES = 2_048;

/** Rule (web-api T1, T13): a body encoded twice is read twice; control information (`@odata.type`, `x@…`) is ignored except `@odata.bind`. */
export async function readPayload(
  request: DataRequest,
  services: DataServices,
  table: Table,
  operation: 'create' | 'update',
): Promise<RecordPayload> {
  const body = readJson(request.body, services.limits.jsonDepth);
  if (!isJsonObject(body)) throw invalidPayload(table, 'a JSON object with the columns of the row was expected');
  const entries = Object.entries(body);
  if (entries.length > MAX_PROPERTIES) throw invalidPayload(table, `the object has more than ${MAX_PROPERTIES} properties`);
  let id: string | undefined;
  const attributes = new Map<string, unknown>();
  for (const [property, value] of entries) {
    if (property.endsWith(BIND)) {
      const [column, reference] = await readBind(request, services, table, property.slice(0, -BIND.length), value);
      attributes.set(column.logicalName, reference);
    } else if (property === table.primaryIdAttribute) {
      id = readId(table, value);
    } else if (!property.includes('@')) {
      const [column, plain] = readValue(table, property, value);
      attributes.set(column.logicalName, plain);
    }
  }
  return { id, attributes: coerceAttributes(services.metadata, table, Object.fromEntries(attributes), operation) };
}

function invalidPayload(table: Table, problem: string): PlatformError {
  return new PlatformError('PAYLOAD_INVALID', { problem: `Entity :'${table.entitySetName}', ${problem}.` });
}

function readId(table: Table, value: Json): string | undefined {
  if (value === null) return undefined;
  if (typeof value !== 'string' || !isGuid(value)) throw invalidValue(table, table.primaryIdAttribute, 'is not a GUID');
  return value.toLowerCase();
}

function readValue(table: Table, property: string, value: Json): readonly [Column, unknown] {
  const lookup = /^_(.+)_value$/.exec(property)?.[1];
  const column = table.columns.get(lookup ?? property);
  if (column === undefined || (lookup !== undefined && column.type !== 'lookup')) {
    throw new PlatformError('UNKNOWN_PAYLOAD_COLUMN', { column: property.slice(0, 128), table: table.logicalName });
  }
  if (column.type === 'lookup') {
    if (value === null) return [column, null];
    throw invalidValue(table, property, `is a lookup; write "${column.logicalName}${BIND}": "<set>(<guid>)"`);
  }
  return [column, plainValue(table, column, value)];
}

function plainValue(table: Table, column: Column, value: Json): unknown {
  if (value instanceof InexactNumber) {
    // A float is whatever double is nearest; everything else promises the digits it was given.
    if (column.type === 'float' && Number.isFinite(Number(value.source))) return Number(value.source);
    throw invalidValue(table, column.logicalName, 'has more digits than the platform keeps (15 significant ones are always safe)');
  }
  if (column.type === 'multichoice' && typeof value === 'string') return multichoice(table, column, value);
  return value;
}

/** The Web API writes several choices as one text: `"1,3"`. */
function multichoice(table: Table, column: Column, text: string): readonly number[] | null {
  if (text.trim() === '') return null;
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length > 1_000 || !parts.every((part) => /^-?\d{1,10}$/.test(part))) {
    throw invalidValue(table, column.logicalName, 'must be numbers joined by commas');
  }
  return parts.map(Number);
}

/** `primarycontactid@odata.bind`, or `regardingobjectid_account@odata.bind` where a lookup has several targets. */
async function readBind(
  request: DataRequest,
  services: DataServices,
  table: Table,
  navigation: string,
  value: Json,
): Promise<readonly [Column, EntityReference | null]> {
  const column = lookupOf(table, navigation.toLowerCase());
  if (column === undefined) throw invalidPayload(table, `the navigation property '${navigation.slice(0, 128)}' does not exist`);
  if (value === null) return [column, null];
  if (typeof value !== 'string') throw invalidValue(table, `${navigation}${BIND}`, 'must be a text such as "contacts(<guid>)"');
  return [column, await readReference(request, services, table, column, value)];
}

function lookupOf(table: Table, navigation: string): Column | undefined {
  const plain = table.columns.get(navigation);
  if (plain !== undefined) return plain.type === 'lookup' ? plain : undefined;
  for (const column of table.columns.values()) {
    if (column.type === 'lookup' && column.targets?.some((target) => `${column.logicalName}_${target}` === navigation) === true) return column;
  }
  return undefined;
}

async function readReference(request: DataRequest, services: DataServices, table: Table, column: Column, text: string): Promise<EntityReference> {
  if (text.length > services.limits.urlChars)
    throw invalidValue(table, column.logicalName, `is a reference of more than ${services.limits.urlChars} characters`);
  const path = text.replace(/^https?:\/\/[^/]*/i, '').replace(/^\/*api\/data\/v9\.\d{1,2}\//i, '');
  const [segment, ...rest] = parseDataPath(path);
  const target = segment === undefined ? undefined : services.metadata.bySetName.get(segment.name);
  if (segment?.key === undefined || target === undefined || rest.length > 0) {
    throw invalidValue(table, column.logicalName, 'must be a reference such as "contacts(<guid>)"');
  }
  if (column.targets?.includes(target.logicalName) !== true) {
    throw invalidValue(table, column.logicalName, `may point to ${column.targets?.join(', ') ?? 'nothing'}, not to ${target.logicalName}`);
  }
  const address = await resolveRow(request, services, target, segment.key);
  if (!address.found) throw rowMissing(target, address.text);
  return { logicalName: target.logicalName, id: address.id };
}

function invalidValue(table: Table, column: string, problem: string): PlatformError {
  return new PlatformError('INVALID_VALUE', { set: table.entitySetName, column: column.slice(0, 128), problem });
}
