import type { AttributeValue, EntityReference } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { isPolymorphic } from '../metadata/physical.ts';
import type { Column, Metadata, Table } from '../metadata/table.ts';
import { parseDate, parseDateTime } from './date-time.ts';
import { decimalShape, MAX_SIGNIFICANT_DIGITS } from './exact-number.ts';
import { invalidValue, shownName } from './invalid-value.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const INT32 = { minimum: -2_147_483_648, maximum: 2_147_483_647 };
/** Wider than any sum a CRM holds, and narrow enough that 15 digits are the units. */
const DECIMAL = { minimum: -999_999_999_999_999, maximum: 999_999_999_999_999 };
const MAX_MULTICHOICE_VALUES = 1_000;

/** `undefined` when `value` is no uuid. */
export const parseUuid = (value: unknown): string | undefined => (typeof value === 'string' && UUID.test(value) ? value.toLowerCase() : undefined);

/** Where a value goes: a row (all limits count) or a comparison (a value that no row can hold is still a fair question). */
export type Purpose = 'store' | 'compare';

interface Place {
  readonly metadata: Metadata;
  readonly table: Table;
  readonly column: Column;
  readonly purpose: Purpose;
}

/** `value` in the canonical form of its column; never rounded, never cut. Empty text and an empty list are no value. */
export function coerceValue(place: Place, value: unknown): AttributeValue {
  if (value === null || value === undefined) return null;
  const { column } = place;
  switch (column.type) {
    case 'string':
    case 'memo':
      return text(place, value);
    case 'integer':
      return inRange(place, whole(place, value, 'a whole number'), INT32);
    case 'bigint':
      return inRange(place, whole(place, value, 'a whole number'), { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER });
    case 'decimal':
    case 'money':
      return inRange(place, exact(place, number(place, value)), DECIMAL);
    case 'float':
      return inRange(place, number(place, value), { minimum: -Number.MAX_VALUE, maximum: Number.MAX_VALUE });
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongType(place, 'true or false');
      return value;
    case 'datetime':
      return parsed(place, value, parseDateTime, 'a date and time with an offset, such as 2026-01-31T12:00:00Z');
    case 'date':
      return parsed(place, value, parseDate, 'a date of the calendar, such as 2026-01-31');
    case 'uuid':
      return parsed(place, value, parseUuid, 'a uuid');
    case 'choice':
      return choice(place, whole(place, value, 'the number of a choice'));
    case 'multichoice':
      return multichoice(place, value);
    case 'lookup':
      return lookup(place, value);
    default:
      return column.type satisfies never;
  }
}

const wrongType = ({ table, column }: Place, wanted: string) => invalidValue(table, column, `must be ${wanted}`);

function text(place: Place, value: unknown): string | null {
  const { table, column, purpose } = place;
  if (typeof value !== 'string') throw wrongType(place, 'text');
  if (value === '') return null;
  if (value.includes('\u0000')) throw invalidValue(table, column, 'contains the character U+0000, which a row cannot hold');
  if (!value.isWellFormed()) throw invalidValue(table, column, 'contains half of a surrogate pair, which is no character');
  const limit = column.maxLength;
  if (purpose === 'store' && limit !== undefined && value.length > limit) {
    throw new PlatformError('VALUE_TOO_LONG', { column: column.logicalName, table: table.logicalName, limit });
  }
  return value;
}

function number(place: Place, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongType(place, 'a number');
  return value === 0 ? 0 : value;
}

function whole(place: Place, value: unknown, wanted: string): number {
  const result = number(place, value);
  if (!Number.isInteger(result)) throw wrongType(place, wanted);
  return result;
}

function inRange({ table, column, purpose }: Place, value: number, type: { readonly minimum: number; readonly maximum: number }): number {
  // What the type cannot hold, no comparison can ask for either: the database would refuse it in its own words.
  const minimum = purpose === 'store' ? Math.max(type.minimum, column.minimum ?? type.minimum) : type.minimum;
  const maximum = purpose === 'store' ? Math.min(type.maximum, column.maximum ?? type.maximum) : type.maximum;
  if (value >= minimum && value <= maximum) return value;
  throw new PlatformError('VALUE_OUT_OF_RANGE', { value, column: column.logicalName, table: table.logicalName, range: `${minimum} to ${maximum}` });
}

/** The column is `numeric` and the pipeline counts in doubles: only what both hold alike may pass (docs/decisions). */
function exact({ table, column, purpose }: Place, value: number): number {
  const { significantDigits, scale } = decimalShape(value);
  if (significantDigits > MAX_SIGNIFICANT_DIGITS) {
    throw invalidValue(table, column, `has ${significantDigits} significant digits and more than ${MAX_SIGNIFICANT_DIGITS} cannot be kept exactly`);
  }
  if (purpose === 'store' && scale > (column.scale ?? MAX_SIGNIFICANT_DIGITS)) {
    throw invalidValue(table, column, `has ${scale} digits after the point and the column keeps ${column.scale}; round it first`);
  }
  return value;
}

function parsed(place: Place, value: unknown, parse: (text: string) => string | undefined, wanted: string): string {
  const result = typeof value === 'string' ? parse(value) : undefined;
  if (result === undefined) throw wrongType(place, wanted);
  return result;
}

function choice({ table, column, purpose }: Place, value: number): number {
  const known = column.choices ?? [];
  if (purpose === 'compare' ? value >= INT32.minimum && value <= INT32.maximum : known.some((candidate) => candidate.value === value)) return value;
  const choices = known.map((candidate) => `${candidate.value} (${candidate.label})`).join(', ');
  throw new PlatformError('CHOICE_UNKNOWN', { value, column: column.logicalName, table: table.logicalName, choices: choices.slice(0, 1_000) });
}

/** Ascending, each once; also as the text `1,3` that OData clients send. */
function multichoice(place: Place, value: unknown): readonly number[] | null {
  const wanted = 'a list of the numbers of choices';
  const list: unknown = typeof value === 'string' ? value.split(',').map((part) => (/^\s*-?\d{1,10}\s*$/.test(part) ? Number(part) : part)) : value;
  if (!Array.isArray(list) || list.length > MAX_MULTICHOICE_VALUES) throw wrongType(place, wanted);
  const values = list.map((item: unknown) => choice(place, whole(place, item, wanted)));
  return values.length === 0 ? null : [...new Set(values)].toSorted((a, b) => a - b);
}

function lookup(place: Place, value: unknown): EntityReference | string {
  const { metadata, table, column, purpose } = place;
  const targets = column.targets ?? [];
  const wanted = `a row of ${targets.map((target) => `"${target}"`).join(' or ')}: {"logicalName", "id"}`;
  const bareId = parseUuid(value);
  if (bareId !== undefined) {
    if (!isPolymorphic(column) && targets[0] !== undefined) return target(metadata, place, { logicalName: targets[0], id: bareId });
    // The id alone does not say which table; that is enough to compare with and too little to store.
    if (purpose === 'compare') return bareId;
    throw wrongType(place, wanted);
  }
  if (typeof value !== 'object' || value === null) throw wrongType(place, wanted);
  const { logicalName, id: rawId } = value as { readonly logicalName?: unknown; readonly id?: unknown };
  const id = parseUuid(rawId);
  if (typeof logicalName !== 'string' || id === undefined) throw wrongType(place, wanted);
  if (!targets.includes(logicalName)) throw invalidValue(table, column, `points to "${shownName(logicalName)}" and must be ${wanted}`);
  return target(metadata, place, { logicalName, id });
}

function target(metadata: Metadata, { table, column }: Place, reference: EntityReference): EntityReference {
  if (metadata.tables.has(reference.logicalName)) return reference;
  throw invalidValue(table, column, `points to the table "${reference.logicalName}", which is not defined yet`);
}
