import { z } from 'zod';
import { PROTOCOL_VERSION } from './assignment.ts';
import { cleanText } from './text.ts';

/**
 * Egress: what a plug-in's `fetch` becomes. Guest → supervisor → dispatcher (which alone knows the grants and decides) →
 * egress process (which alone reaches a network) and back. The egress process holds no database and no plug-in.
 */
const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** Requests of one execution, and how many of them at once. */
export const MAX_FETCHES = 50;
export const MAX_FETCHES_AT_ONCE = 8;
export const MAX_EGRESS_HOPS = 5;
/** One exchange with all its redirects; what is left of the step may be less. */
export const MAX_EGRESS_MS = 30_000;
export const MAX_EGRESS_HEADERS = 64;
export const MAX_EGRESS_HEADER_BYTES = 16 * 1024;
/** Bytes of a body as they cross the bus: base64 of it and the headers stay below NATS' `max_payload`. */
export const MAX_EGRESS_BODY_BYTES = 512 * 1024;
const MAX_BODY_CHARS = Math.ceil(MAX_EGRESS_BODY_BYTES / 3) * 4;

export const EGRESS_HELLO_MS = 500;
/** An egress process that was silent for so long is gone. */
export const EGRESS_LOST_MS = 2_500;

export const EgressMethod = z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
export type EgressMethod = z.output<typeof EgressMethod>;

const headers = z
  .array(z.tuple([z.string().min(1).max(256), z.string().max(MAX_EGRESS_HEADER_BYTES)]))
  .max(MAX_EGRESS_HEADERS)
  .refine((list) => list.reduce((sum, [name, value]) => sum + name.length + value.length, 0) <= MAX_EGRESS_HEADER_BYTES, {
    error: `headers have at most ${MAX_EGRESS_HEADER_BYTES} characters in all`,
  });
const body = z.base64().max(MAX_BODY_CHARS);

/** What the guest asks for. */
export const FetchRequest = z.object({
  url: z.string().min(1).max(8_192),
  method: EgressMethod,
  headers,
  body: body.optional(),
  redirect: z.enum(['follow', 'manual', 'error']),
});
export type FetchRequest = z.output<typeof FetchRequest>;

/** Envelope of a fetch frame, written by the supervisor. Line 2: `FetchRequest`, JSON text of the guest. Answered as a service call is. */
export const FetchCall = z.object({
  version: z.literal(PROTOCOL_VERSION),
  kind: z.literal('fetch'),
  executionId: id,
  token: id,
  callId: z.int().nonnegative(),
});
export type FetchCall = z.output<typeof FetchCall>;

/** Line 2 of an answer that is `ok`; otherwise `{message}`, the text of the guest's TypeError. */
export const FetchAnswer = z.object({
  status: z.int().min(100).max(599),
  statusText: z.string().max(256),
  url: z.string().max(8_192),
  redirected: z.boolean(),
  headers: z.array(z.tuple([z.string(), z.string()])).max(2 * MAX_EGRESS_HEADERS),
  body,
});
export type FetchAnswer = z.output<typeof FetchAnswer>;

/** A host that a step may reach. `host` is in the form of a parsed URL: lower case, punycode, no brackets left out. */
export const EgressTarget = z.object({
  scheme: z.enum(['https', 'http']),
  host: z.string().min(1).max(255),
  port: z.int().min(1).max(65_535),
  methods: z.array(EgressMethod).min(1).max(7),
});
export type EgressTarget = z.output<typeof EgressTarget>;

/** Dispatcher → egress process. The dispatcher decided; the grants travel along because redirects are checked hop by hop. */
export const EgressOrder = z.object({
  version: z.literal(PROTOCOL_VERSION),
  kind: z.literal('perform'),
  requestId: id,
  dispatcherId: id,
  timeoutMs: z.int().positive().max(MAX_EGRESS_MS),
  responseBytes: z.int().positive().max(MAX_EGRESS_BODY_BYTES),
  targets: z.array(EgressTarget).max(256),
  request: FetchRequest,
});
export type EgressOrder = z.output<typeof EgressOrder>;

/** Dispatcher → every egress process: nobody waits for the request any more. */
export const EgressCancellation = z.object({ version: z.literal(PROTOCOL_VERSION), kind: z.literal('cancel'), requestId: id });
export type EgressCancellation = z.output<typeof EgressCancellation>;

/** Why a request came to nothing. */
export const EgressRefusal = z.enum([
  'not-granted',
  'url-invalid',
  'request-invalid',
  'scheme-off',
  'address-refused',
  'name-unknown',
  'unreachable',
  'certificate',
  'timed-out',
  'too-large',
  'too-many-redirects',
  'redirect-refused',
  'response-invalid',
  'busy',
  'cancelled',
]);
export type EgressRefusal = z.output<typeof EgressRefusal>;

/** One exchange with one host, for the ledger. */
export const EgressHop = z.object({
  scheme: z.string().max(16),
  host: z.string().max(255),
  port: z.int().min(0).max(65_535),
  method: z.string().max(16),
  status: z.int().min(100).max(599).optional(),
  refusal: EgressRefusal.optional(),
  sentBytes: z.int().nonnegative(),
  receivedBytes: z.int().nonnegative(),
  durationMs: z.number().nonnegative(),
});
export type EgressHop = z.output<typeof EgressHop>;

export const EgressEnd = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), answer: FetchAnswer }),
  z.object({ ok: z.literal(false), refusal: EgressRefusal, message: z.string().transform((value) => cleanText(value, 2_048)) }),
]);
export type EgressEnd = z.output<typeof EgressEnd>;

/** Egress process → the dispatcher that asked, on a computed subject. */
export const EgressResult = z.object({
  version: z.literal(PROTOCOL_VERSION),
  kind: z.literal('performed'),
  requestId: id,
  hops: z.array(EgressHop).max(MAX_EGRESS_HOPS + 1),
  end: EgressEnd,
});
export type EgressResult = z.output<typeof EgressResult>;

/** Egress process → every dispatcher, every half second. The two permissions are for development; the health endpoint shows them. */
export const EgressHello = z.object({
  version: z.literal(PROTOCOL_VERSION),
  kind: z.literal('egress-hello'),
  egressId: id,
  allowPrivateAddresses: z.boolean(),
  allowPlainHttp: z.boolean(),
  running: z.int().nonnegative(),
});
export type EgressHello = z.output<typeof EgressHello>;

/** `POST steps/<id>/egress-grants`. */
export const NewEgressGrant = z.strictObject({
  scheme: z.enum(['https', 'http']).default('https'),
  host: z.string().min(1).max(255),
  port: z.int().min(1).max(65_535).optional(),
  methods: z.array(EgressMethod).min(1).max(7),
});
export type NewEgressGrant = z.output<typeof NewEgressGrant>;

export const EgressGrant = z.object({
  id: z.string(),
  stepId: z.string(),
  ...EgressTarget.shape,
  createdOn: z.string(),
  createdBy: z.string(),
});
export type EgressGrant = z.output<typeof EgressGrant>;
