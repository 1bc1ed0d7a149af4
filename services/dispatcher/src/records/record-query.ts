import type { JsonValue } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { z } from 'zod';

/**
 * What RetrieveMultiple asks for: JSON, so that it can be an input parameter that a plug-in reads and edits. Column names
 * are logical names; they and the values are checked against the metadata when the query runs, not here.
 *
 * Meaning of a filter: two-valued. A comparison with an empty column is false, except `ne`, which is the exact opposite of
 * `eq`; `not` is the exact opposite of what it holds. Text compares without regard to case. `null` or `''` as the value of
 * `eq`/`ne` asks whether the column is empty. A lookup compares with a row id or an EntityReference.
 */
export type ComparisonOperator = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: 'compare'; readonly column: string; readonly operator: ComparisonOperator; readonly value: JsonValue }
  | { readonly kind: 'compare-columns'; readonly column: string; readonly operator: ComparisonOperator; readonly other: string }
  | { readonly kind: 'in'; readonly column: string; readonly values: readonly JsonValue[] }
  | { readonly kind: 'null'; readonly column: string }
  | { readonly kind: 'contains' | 'starts-with' | 'ends-with'; readonly column: string; readonly value: string }
  /** multichoice: holds at least one of the values. */
  | { readonly kind: 'contain-values'; readonly column: string; readonly values: readonly number[] };

export type OrderBy = { readonly column: string; readonly descending?: boolean };

export type RecordQuery = {
  /** Absent: every column. */
  readonly columns?: readonly string[];
  readonly filter?: Filter;
  /** The row id is always the last criterion, so that an order once seen stays. Empty values come first. */
  readonly orderBy?: readonly OrderBy[];
  /** At most `MAX_PAGE_ROWS`, which is also the default. */
  readonly top?: number;
  readonly count?: boolean;
  /** `skipToken` of the page before; valid with the same `orderBy`. */
  readonly skipToken?: string;
};

export const MAX_PAGE_ROWS = 5_000;
export const MAX_FILTER_DEPTH = 24;
/** Comparisons and values of all `in` lists of one query. */
export const MAX_FILTER_TERMS = 2_000;
const MAX_SKIP_TOKEN_CHARS = 65_536;

const name = z.string().min(1).max(128);
/** What a column can hold, and nothing that nests: a value of a query is somebody else's JSON. */
const scalar = z.union([z.string().max(100_000), z.number(), z.boolean(), z.null()]);
const value = z.union([scalar, z.array(scalar).max(MAX_FILTER_TERMS), z.object({ logicalName: name, id: z.string().max(64) })]);
const operator = z.enum(['eq', 'ne', 'gt', 'ge', 'lt', 'le']);
const leaf = [
  z.strictObject({ kind: z.literal('compare'), column: name, operator, value }),
  z.strictObject({ kind: z.literal('compare-columns'), column: name, operator, other: name }),
  z.strictObject({ kind: z.literal('in'), column: name, values: z.array(value).max(MAX_FILTER_TERMS) }),
  z.strictObject({ kind: z.literal('null'), column: name }),
  z.strictObject({ kind: z.enum(['contains', 'starts-with', 'ends-with']), column: name, value: z.string().max(4_000) }),
  z.strictObject({ kind: z.literal('contain-values'), column: name, values: z.array(z.int32()).min(1).max(MAX_FILTER_TERMS) }),
] as const;

/** Unrolled by hand over the depth: nesting is somebody else's text and must not make us recurse without end. */
const leafSchema = z.discriminatedUnion('kind', [...leaf]);
const querySchema = z.strictObject({
  columns: z.array(name).max(1_024).optional(),
  filter: z.unknown().optional(),
  orderBy: z
    .array(z.strictObject({ column: name, descending: z.boolean().optional() }))
    .max(16)
    .optional(),
  top: z.int().min(1).optional(),
  count: z.boolean().optional(),
  skipToken: z.string().max(MAX_SKIP_TOKEN_CHARS).optional(),
});

const refuse = (problem: string): never => {
  throw new PlatformError('INVALID_ARGUMENT', { problem: `The query is not valid: ${problem}.` });
};
const firstIssue = (error: z.ZodError): string => {
  const issue = error.issues[0];
  return issue === undefined ? 'unknown reason' : `${issue.path.map(String).join('.') || 'it'}: ${issue.message}`.slice(0, 500);
};

function parseFilter(raw: unknown, depth: number, budget: { terms: number }): Filter {
  if (depth > MAX_FILTER_DEPTH) return refuse(`its filter is nested deeper than ${MAX_FILTER_DEPTH} levels`);
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return refuse('a filter is an object with a kind');
  const node = raw as { readonly kind?: unknown; readonly filters?: unknown; readonly filter?: unknown };
  if (node.kind === 'and' || node.kind === 'or') {
    if (!Array.isArray(node.filters)) return refuse(`"${node.kind}" needs a list of filters`);
    return { kind: node.kind, filters: node.filters.map((inner: unknown) => parseFilter(inner, depth + 1, budget)) };
  }
  if (node.kind === 'not') return { kind: 'not', filter: parseFilter(node.filter, depth + 1, budget) };
  const parsed = leafSchema.safeParse(raw);
  if (!parsed.success) return refuse(firstIssue(parsed.error));
  budget.terms -= parsed.data.kind === 'in' ? parsed.data.values.length + 1 : 1;
  if (budget.terms < 0) return refuse(`its filter has more than ${MAX_FILTER_TERMS} terms`);
  return parsed.data;
}

/** The shape and the limits of a query that came from outside, for example out of a plug-in's hands. */
export function parseRecordQuery(raw: unknown): RecordQuery {
  const parsed = querySchema.safeParse(raw);
  if (!parsed.success) return refuse(firstIssue(parsed.error));
  const { columns, filter, orderBy, top, count, skipToken } = parsed.data;
  if (top !== undefined && top > MAX_PAGE_ROWS) throw new PlatformError('PAGE_TOO_LARGE', { limit: MAX_PAGE_ROWS, asked: top });
  return {
    ...(columns === undefined ? {} : { columns }),
    ...(filter === undefined ? {} : { filter: parseFilter(filter, 1, { terms: MAX_FILTER_TERMS }) }),
    ...(orderBy === undefined
      ? {}
      : { orderBy: orderBy.map(({ column, descending }) => ({ column, ...(descending === undefined ? {} : { descending }) })) }),
    ...(top === undefined ? {} : { top }),
    ...(count === undefined ? {} : { count }),
    ...(skipToken === undefined ? {} : { skipToken }),
  };
}
