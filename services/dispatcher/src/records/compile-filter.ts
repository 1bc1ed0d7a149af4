import type { AttributeValue, EntityReference, JsonValue } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { type SQL, sql } from 'drizzle-orm';
import { isPolymorphic, physicalTypes, targetColumnOf } from '../metadata/physical.ts';
import type { Column, ColumnType, Metadata, Table } from '../metadata/table.ts';
import { coerceValue } from './coerce-value.ts';
import { comparable, comparableParameter, isEmpty, isText } from './comparable.ts';
import { requireColumn } from './read.ts';
import { type ComparisonOperator, type Filter, MAX_FILTER_DEPTH, MAX_FILTER_TERMS } from './record-query.ts';
import { parameter } from './values.ts';

/** What may be compared with what; only what has an order has more than equality. */
const kinds = {
  string: 'text',
  memo: 'text',
  integer: 'number',
  bigint: 'number',
  decimal: 'number',
  float: 'number',
  money: 'number',
  choice: 'number',
  boolean: 'boolean',
  datetime: 'instant',
  date: 'date',
  uuid: 'id',
  lookup: 'id',
  multichoice: 'set',
} as const satisfies Record<ColumnType, string>;
const ORDERED: ReadonlySet<string> = new Set(['text', 'number', 'instant', 'date']);
const operators = { eq: '=', ne: '<>', gt: '>', ge: '>=', lt: '<', le: '<=' } as const satisfies Record<ComparisonOperator, string>;

const refusal = (problem: string) => new PlatformError('INVALID_ARGUMENT', { problem: `The filter is not valid: ${problem}.` });

/** What one filter is about, and how much of its budget is used. */
interface Scope {
  readonly metadata: Metadata;
  readonly table: Table;
  terms: number;
}

/** A condition that may come out null where it means false; `not` and `ne` turn that into their own false or true. */
export function compileFilter(metadata: Metadata, table: Table, filter: Filter): SQL {
  return compile({ metadata, table, terms: 0 }, filter, 1);
}

function compile(scope: Scope, filter: Filter, depth: number): SQL {
  if (depth > MAX_FILTER_DEPTH) throw refusal(`it is nested deeper than ${MAX_FILTER_DEPTH} levels`);
  scope.terms += filter.kind === 'in' ? filter.values.length + 1 : 1;
  if (scope.terms > MAX_FILTER_TERMS) throw refusal(`it has more than ${MAX_FILTER_TERMS} terms`);
  switch (filter.kind) {
    case 'and':
    case 'or': {
      if (filter.filters.length === 0) return filter.kind === 'and' ? sql`true` : sql`false`;
      const parts = filter.filters.map((inner) => compile(scope, inner, depth + 1));
      return sql`(${sql.join(parts, filter.kind === 'and' ? sql` and ` : sql` or `)})`;
    }
    case 'not':
      return sql`(${compile(scope, filter.filter, depth + 1)}) is not true`;
    case 'compare':
      return compare(scope, columnOf(scope, filter.column), filter.operator, filter.value);
    case 'compare-columns':
      return compareColumns(scope, columnOf(scope, filter.column), filter.operator, columnOf(scope, filter.other));
    case 'in':
      return inList(scope, columnOf(scope, filter.column), filter.values);
    case 'null':
      return isEmpty(scope.table, columnOf(scope, filter.column));
    case 'contains':
    case 'starts-with':
    case 'ends-with':
      return like(scope, columnOf(scope, filter.column), filter.kind, filter.value);
    case 'contain-values':
      return containValues(scope, columnOf(scope, filter.column), filter.values);
    default:
      return filter satisfies never;
  }
}

function columnOf(scope: Scope, name: string): Column {
  return requireColumn(scope.table, name);
}

function coerce(scope: Scope, column: Column, value: unknown): AttributeValue {
  return coerceValue({ metadata: scope.metadata, table: scope.table, column, purpose: 'compare' }, value);
}

function compare(scope: Scope, column: Column, operator: ComparisonOperator, raw: JsonValue): SQL {
  requireOrder(operator, column);
  const value = coerce(scope, column, raw);
  if (value === null) {
    const empty = isEmpty(scope.table, column);
    if (operator === 'eq') return empty;
    return operator === 'ne' ? sql`not (${empty})` : sql`false`;
  }
  const same = equal(scope, column, value);
  if (operator === 'eq') return same;
  if (operator === 'ne') return sql`(${same}) is not true`;
  return sql`${comparable(scope.table, column)} ${sql.raw(operators[operator])} ${comparableParameter(column, value)}`;
}

function equal(scope: Scope, column: Column, value: AttributeValue): SQL {
  const same = sql`${comparable(scope.table, column)} = ${comparableParameter(column, value)}`;
  if (!isPolymorphic(column) || typeof value !== 'object') return same;
  // `coerceValue` gives a lookup an EntityReference or a bare id.
  const { logicalName } = value as EntityReference;
  return sql`(${same} and ${sql.identifier(targetColumnOf(column.logicalName))} = ${parameter(logicalName, 'text')})`;
}

function compareColumns(scope: Scope, column: Column, operator: ComparisonOperator, other: Column): SQL {
  requireOrder(operator, column);
  if (kinds[column.type] !== kinds[other.type]) {
    throw refusal(`"${column.logicalName}" (${column.type}) cannot be compared with "${other.logicalName}" (${other.type})`);
  }
  const left = comparable(scope.table, column);
  const right = comparable(scope.table, other);
  if (operator === 'ne') return sql`(${left} = ${right}) is not true`;
  return sql`${left} ${sql.raw(operators[operator])} ${right}`;
}

function inList(scope: Scope, column: Column, raw: readonly JsonValue[]): SQL {
  const values = raw.map((item) => coerce(scope, column, item));
  const present = values.filter((value) => value !== null);
  const parts = values.length === present.length ? [] : [isEmpty(scope.table, column)];
  if (isPolymorphic(column) || column.type === 'multichoice') parts.push(...present.map((value) => equal(scope, column, value)));
  else if (present.length > 0) parts.push(inArray(scope, column, present));
  return parts.length === 0 ? sql`false` : sql`(${sql.join(parts, sql` or `)})`;
}

/** One parameter for the whole list: lists of every length share one statement. */
function inArray(scope: Scope, column: Column, values: readonly AttributeValue[]): SQL {
  const items = values.map((value) => (typeof value === 'object' ? (value as EntityReference).id : String(value)));
  const literal = `{${items.map((item) => `"${item.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`;
  const array = parameter(literal, `${physicalTypes[column.type]}[]`);
  const left = comparable(scope.table, column);
  return isText(column) ? sql`${left} in (select lower(item collate "pg_c_utf8") from unnest(${array}) as item)` : sql`${left} = any(${array})`;
}

function like(scope: Scope, column: Column, kind: 'contains' | 'starts-with' | 'ends-with', raw: string): SQL {
  if (!isText(column)) throw refusal(`"${column.logicalName}" is of type ${column.type} and has no text to search`);
  const value = coerce(scope, column, raw);
  if (value === null) return sql`not (${isEmpty(scope.table, column)})`;
  const escaped = String(value).replace(/[\\%_]/g, '\\$&');
  const pattern = `${kind === 'starts-with' ? '' : '%'}${escaped}${kind === 'ends-with' ? '' : '%'}`;
  return sql`${comparable(scope.table, column)} like ${comparableParameter(column, pattern)}`;
}

function containValues(scope: Scope, column: Column, values: readonly number[]): SQL {
  if (column.type !== 'multichoice') throw refusal(`"${column.logicalName}" is of type ${column.type} and holds one value at most`);
  const list = coerce(scope, column, values);
  return list === null ? sql`false` : sql`${sql.identifier(column.logicalName)} && ${parameter(`{${String(list)}}`, 'integer[]')}`;
}

function requireOrder(operator: ComparisonOperator, column: Column): void {
  if (operator === 'eq' || operator === 'ne' || ORDERED.has(kinds[column.type])) return;
  throw refusal(`"${column.logicalName}" is of type ${column.type}, which has no order; use eq, ne or in`);
}
