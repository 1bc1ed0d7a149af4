import type { JsonValue } from '@airlock/pipeline';
import { PlatformError, type ServiceRequest } from '@airlock/protocol';
import type { Filter } from '../records/record-query.ts';

type QueryCondition = Extract<ServiceRequest, { op: 'retrieveMultiple' }>['conditions'][number];

/** The conditions of a plug-in's query, all of which must hold, as a filter. Columns and values are checked by the query itself. */
export function filterOf(conditions: readonly QueryCondition[]): { readonly filter?: Filter } {
  if (conditions.length === 0) return {};
  return { filter: { kind: 'and', filters: conditions.map(conditionOf) } };
}

function conditionOf({ column, operator, value }: QueryCondition): Filter {
  // It came out of JSON.parse.
  const json = (value ?? null) as JsonValue;
  switch (operator) {
    case 'eq':
    case 'ne':
    case 'gt':
    case 'ge':
    case 'lt':
    case 'le':
      return { kind: 'compare', column, operator, value: json };
    case 'in':
      return { kind: 'in', column, values: listOf(column, json) };
    case 'not-in':
      return { kind: 'not', filter: { kind: 'in', column, values: listOf(column, json) } };
    case 'null':
      return { kind: 'null', column };
    case 'not-null':
      return { kind: 'not', filter: { kind: 'null', column } };
    case 'contains':
      return { kind: 'contains', column, value: textOf(column, json) };
    case 'begins-with':
      return { kind: 'starts-with', column, value: textOf(column, json) };
    case 'ends-with':
      return { kind: 'ends-with', column, value: textOf(column, json) };
    default:
      return operator satisfies never;
  }
}

function listOf(column: string, value: JsonValue): readonly JsonValue[] {
  if (Array.isArray(value)) return value as readonly JsonValue[]; // Array.isArray loses readonly
  throw new PlatformError('SERVICE_CALL_REFUSED', { reason: `the condition on ${column.slice(0, 64)} needs a list of values` });
}

function textOf(column: string, value: JsonValue): string {
  if (typeof value === 'string') return value;
  throw new PlatformError('SERVICE_CALL_REFUSED', { reason: `the condition on ${column.slice(0, 64)} needs a text` });
}
