import type { Attributes, AttributeValue, EntityReference, JsonValue } from '@airlock/pipeline';
import type { Filter } from './record-query.ts';

/**
 * The meaning of a filter, said once more without a database: what `compile-filter.ts` is tested against. Values are in
 * canonical form, and texts ones whose case mapping is the same everywhere.
 */
type Comparable = string | number | null;

function comparableOf(value: AttributeValue | JsonValue | undefined): Comparable {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (Array.isArray(value)) return value.length === 0 ? null : value.toSorted((a, b) => Number(a) - Number(b)).join();
  // What is left of the objects is a lookup.
  if (typeof value === 'object') return (value as EntityReference).id;
  return typeof value === 'string' ? value.toLowerCase() : value;
}

const byCodePoint = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right));

export function compareValues(left: Comparable, right: Comparable): number {
  if (left === null || right === null) return Number(left !== null) - Number(right !== null);
  return typeof left === 'string' && typeof right === 'string' ? byCodePoint(left, right) : Number(left) - Number(right);
}
export const sortValue = comparableOf;

function compares(operator: string, left: Comparable, right: Comparable): boolean {
  const equal = left !== null && right !== null && compareValues(left, right) === 0;
  if (operator === 'eq') return equal;
  if (operator === 'ne') return !equal;
  if (left === null || right === null) return false;
  const order = compareValues(left, right);
  return operator === 'gt' ? order > 0 : operator === 'ge' ? order >= 0 : operator === 'lt' ? order < 0 : order <= 0;
}

export function evaluateFilter(filter: Filter, row: Attributes): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.filters.every((inner) => evaluateFilter(inner, row));
    case 'or':
      return filter.filters.some((inner) => evaluateFilter(inner, row));
    case 'not':
      return !evaluateFilter(filter.filter, row);
    case 'compare': {
      const left = comparableOf(row[filter.column]);
      const right = comparableOf(filter.value);
      if (right === null && filter.operator === 'eq') return left === null;
      if (right === null && filter.operator === 'ne') return left !== null;
      return compares(filter.operator, left, right);
    }
    case 'compare-columns':
      return compares(filter.operator, comparableOf(row[filter.column]), comparableOf(row[filter.other]));
    case 'in':
      return filter.values.some((value) => comparableOf(value) === comparableOf(row[filter.column]));
    case 'null':
      return comparableOf(row[filter.column]) === null;
    case 'contains':
    case 'starts-with':
    case 'ends-with': {
      const value = comparableOf(row[filter.column]);
      const part = filter.value.toLowerCase();
      if (typeof value !== 'string') return false;
      if (filter.kind === 'contains') return value.includes(part);
      return filter.kind === 'starts-with' ? value.startsWith(part) : value.endsWith(part);
    }
    case 'contain-values': {
      const value = row[filter.column];
      return Array.isArray(value) && value.some((item) => filter.values.includes(Number(item)));
    }
    default:
      return filter satisfies never;
  }
}
