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

/** A condition that may come out null where it means false; `not` and `ne` turn that into their own false or true. */
export function compileFilter(metadata: Metadata, table: Table, filter: Filter): SQL {
  return new Compilation(metadata, table).compile(filter, 1);
}

/** One filter on its way to SQL: what it is about, and how much of its budget is left. */
class Compilation {
  readonly #metadata: Metadata;
  readonly #table: Table;
  #terms = 0;

  constructor(metadata: Metadata, table: Table) {
    this.#metadata = metadata;
    this.#table = table;
  }

  compile(filter: Filter, depth: number): SQL {
    if (depth > MAX_FILTER_DEPTH) throw refusal(`it is nested deeper than ${MAX_FILTER_DEPTH} levels`);
    this.#terms += filter.kind === 'in' ? filter.values.length + 1 : 1;
    if (this.#terms > MAX_FILTER_TERMS) throw refusal(`it has more than ${MAX_FILTER_TERMS} terms`);
    switch (filter.kind) {
      case 'and':
      case 'or': {
        if (filter.filters.length === 0) return filter.kind === 'and' ? sql`true` : sql`false`;
        const parts = filter.filters.map((inner) => this.compile(inner, depth + 1));
        return sql`(${sql.join(parts, filter.kind === 'and' ? sql` and ` : sql` or `)})`;
      }
      case 'not':
        return sql`(${this.compile(filter.filter, depth + 1)}) is not true`;
      case 'compare':
        return this.#compare(this.#column(filter.column), filter.operator, filter.value);
      case 'compare-columns':
        return this.#compareColumns(this.#column(filter.column), filter.operator, this.#column(filter.other));
      case 'in':
        return this.#in(this.#column(filter.column), filter.values);
      case 'null':
        return isEmpty(this.#table, this.#column(filter.column));
      case 'contains':
      case 'starts-with':
      case 'ends-with':
        return this.#like(this.#column(filter.column), filter.kind, filter.value);
      case 'contain-values':
        return this.#containValues(this.#column(filter.column), filter.values);
      default:
        return filter satisfies never;
    }
  }

  #column(name: string): Column {
    return requireColumn(this.#table, name);
  }

  #coerce(column: Column, value: unknown): AttributeValue {
    return coerceValue({ metadata: this.#metadata, table: this.#table, column, purpose: 'compare' }, value);
  }

  #compare(column: Column, operator: ComparisonOperator, raw: JsonValue): SQL {
    requireOrder(operator, column);
    const value = this.#coerce(column, raw);
    if (value === null) {
      const empty = isEmpty(this.#table, column);
      if (operator === 'eq') return empty;
      return operator === 'ne' ? sql`not (${empty})` : sql`false`;
    }
    const equal = this.#equal(column, value);
    if (operator === 'eq') return equal;
    if (operator === 'ne') return sql`(${equal}) is not true`;
    return sql`${comparable(this.#table, column)} ${sql.raw(operators[operator])} ${comparableParameter(column, value)}`;
  }

  #equal(column: Column, value: AttributeValue): SQL {
    const equal = sql`${comparable(this.#table, column)} = ${comparableParameter(column, value)}`;
    if (!isPolymorphic(column) || typeof value !== 'object') return equal;
    // `coerceValue` gives a lookup an EntityReference or a bare id.
    const { logicalName } = value as EntityReference;
    return sql`(${equal} and ${sql.identifier(targetColumnOf(column.logicalName))} = ${parameter(logicalName, 'text')})`;
  }

  #compareColumns(column: Column, operator: ComparisonOperator, other: Column): SQL {
    requireOrder(operator, column);
    if (kinds[column.type] !== kinds[other.type]) {
      throw refusal(`"${column.logicalName}" (${column.type}) cannot be compared with "${other.logicalName}" (${other.type})`);
    }
    const left = comparable(this.#table, column);
    const right = comparable(this.#table, other);
    if (operator === 'ne') return sql`(${left} = ${right}) is not true`;
    return sql`${left} ${sql.raw(operators[operator])} ${right}`;
  }

  #in(column: Column, raw: readonly JsonValue[]): SQL {
    const values = raw.map((item) => this.#coerce(column, item));
    const present = values.filter((value) => value !== null);
    const parts = values.length === present.length ? [] : [isEmpty(this.#table, column)];
    if (isPolymorphic(column) || column.type === 'multichoice') parts.push(...present.map((value) => this.#equal(column, value)));
    else if (present.length > 0) parts.push(this.#inArray(column, present));
    return parts.length === 0 ? sql`false` : sql`(${sql.join(parts, sql` or `)})`;
  }

  /** One parameter for the whole list: lists of every length share one statement. */
  #inArray(column: Column, values: readonly AttributeValue[]): SQL {
    const items = values.map((value) => (typeof value === 'object' ? (value as EntityReference).id : String(value)));
    const literal = `{${items.map((item) => `"${item.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`;
    const array = parameter(literal, `${physicalTypes[column.type]}[]`);
    const left = comparable(this.#table, column);
    return isText(column) ? sql`${left} in (select lower(item collate "pg_c_utf8") from unnest(${array}) as item)` : sql`${left} = any(${array})`;
  }

  #like(column: Column, kind: 'contains' | 'starts-with' | 'ends-with', raw: string): SQL {
    if (!isText(column)) throw refusal(`"${column.logicalName}" is of type ${column.type} and has no text to search`);
    const value = this.#coerce(column, raw);
    if (value === null) return sql`not (${isEmpty(this.#table, column)})`;
    const escaped = String(value).replace(/[\\%_]/g, '\\$&');
    const pattern = `${kind === 'starts-with' ? '' : '%'}${escaped}${kind === 'ends-with' ? '' : '%'}`;
    return sql`${comparable(this.#table, column)} like ${comparableParameter(column, pattern)}`;
  }

  #containValues(column: Column, values: readonly number[]): SQL {
    if (column.type !== 'multichoice') throw refusal(`"${column.logicalName}" is of type ${column.type} and holds one value at most`);
    const list = this.#coerce(column, values);
    return list === null ? sql`false` : sql`${sql.identifier(column.logicalName)} && ${parameter(`{${String(list)}}`, 'integer[]')}`;
  }
}

function requireOrder(operator: ComparisonOperator, column: Column): void {
  if (operator === 'eq' || operator === 'ne' || ORDERED.has(kinds[column.type])) return;
  throw refusal(`"${column.logicalName}" is of type ${column.type}, which has no order; use eq, ne or in`);
}
