import { z } from 'zod';
import { PROTOCOL_VERSION } from './assignment.ts';

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** Envelope of a call frame, written by the supervisor. Line 2: `ServiceRequest`, JSON text of the guest. */
export const ServiceCall = z.object({
  version: z.literal(PROTOCOL_VERSION),
  kind: z.literal('call'),
  executionId: id,
  token: id,
  callId: z.int().nonnegative(),
});
export type ServiceCall = z.output<typeof ServiceCall>;

const table = z.string().min(1).max(128);
const rowId = z.string().max(64);
const columns = z.array(z.string().max(128)).max(512).optional();
/** Names and values are checked against the metadata by the dispatcher. */
const attributes = z.record(z.string().max(128), z.unknown());
/** Whose privileges the call uses: the step's user (default), the word `SYSTEM`, or a user by id. */
const as = z.string().max(64).optional();

export const ConditionOperator = z.enum([
  'eq',
  'ne',
  'gt',
  'ge',
  'lt',
  'le',
  'in',
  'not-in',
  'null',
  'not-null',
  'contains',
  'begins-with',
  'ends-with',
]);
export const QueryCondition = z.object({ column: z.string().max(128), operator: ConditionOperator, value: z.unknown().optional() });

/** What a plug-in may ask of the organization service. */
export const ServiceRequest = z.discriminatedUnion('op', [
  z.object({ op: z.literal('create'), as, table, attributes, id: rowId.optional() }),
  z.object({ op: z.literal('retrieve'), as, table, id: rowId, columns }),
  z.object({ op: z.literal('update'), as, table, id: rowId, attributes, rowVersion: z.int().optional() }),
  z.object({ op: z.literal('delete'), as, table, id: rowId, rowVersion: z.int().optional() }),
  z.object({
    op: z.literal('retrieveMultiple'),
    as,
    table,
    columns,
    conditions: z.array(QueryCondition).max(64).default([]),
    orderBy: z
      .array(z.object({ column: z.string().max(128), descending: z.boolean().default(false) }))
      .max(16)
      .default([]),
    top: z.int().min(1).max(5_000).default(5_000),
  }),
  z.object({ op: z.literal('execute'), as, message: z.string().min(1).max(256), parameters: z.record(z.string().max(128), z.unknown()).default({}) }),
]);
export type ServiceRequest = z.output<typeof ServiceRequest>;

/**
 * Envelope of an answer frame. Line 2: the result's JSON text when `ok`, else a `ServiceFault`.
 * Results: create `{id}`, retrieve `Entity`, update and delete `{}`, retrieveMultiple `{entities, moreRecords}`, execute its outputs.
 */
export const ServiceAnswer = z.object({
  version: z.literal(PROTOCOL_VERSION),
  kind: z.literal('answer'),
  executionId: id,
  callId: z.int().nonnegative(),
  ok: z.boolean(),
});
export type ServiceAnswer = z.output<typeof ServiceAnswer>;

/** What a plug-in sees of a call that failed: an `OrganizationServiceFault` (dataverse-facts §3.6), no host detail. */
export const ServiceFault = z.object({
  code: z.string().max(16),
  errorCode: z.int32(),
  message: z.string().max(8_192),
  httpStatus: z.int(),
  retriable: z.boolean(),
  traceId: z.string().max(64),
});
export type ServiceFault = z.output<typeof ServiceFault>;
