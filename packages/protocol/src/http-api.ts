import { z } from 'zod';
import { BundleSignature } from './bundle-signature.ts';

/**
 * Airlock's own HTTP API, below `/api/airlock/v1/`: what the CLI and the console use beside the Web API. Errors have the
 * Web API's shape, `{"error":{"code","message", …}}`.
 *
 * - `POST bundles` (author) {@link BundleUpload} → {@link PushResult}; `?plan=true` changes nothing.
 * - `GET bundles`, `GET steps`, `GET plugin-types` (author). `DELETE bundles?name=…[&version=…]` (author) → 204.
 * - `PATCH steps/<id>` (author) {@link StepPatch} → 204. `PUT steps/<id>/secure-configuration` (operator) `{value}` → 204; there is no GET.
 * - `POST tables` (operator) {@link TableDefinition} → 201; `?plan=true` answers the SQL it would run.
 * - `GET settings`, `PATCH settings` (operator) {@link Settings}.
 * - `POST users` (operator) {@link NewUser} → 201 `{systemuserid}`; `POST keys` (operator) {@link NewKey} → 201 {@link IssuedKey}; `DELETE keys/<id>`.
 * - `POST signing-keys` (operator) {@link NewSigningKey} → 201 {@link SigningKey}; `GET signing-keys`; `DELETE signing-keys/<id>` revokes → 204.
 * - `GET audit[?objectType=…&objectId=…&top=…&before=<id>]` (operator): {@link AuditRow}s, newest first.
 * - `POST jobs/<action>` (author) {@link JobActionRequest} → {@link JobActionResult}; actions: cancel, pause, resume, postpone, retry-now, delete.
 * - `GET jobs/<id>` (author) {@link JobDetail}: state, attempts, and why it waits.
 * - `GET workers` (operator): pools, workers, slots, layers.
 * - `GET traces/<traceId>` (author): trace log rows of one trace.
 */
const versionText = z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}(-[0-9A-Za-z.-]{1,32})?$/, 'must be a semantic version such as 1.2.3');

export const BundleManifest = z.object({
  manifestVersion: z.literal(1),
  name: z.string().regex(/^[A-Za-z0-9@][A-Za-z0-9@/._-]{0,127}$/, 'must be 1 to 128 letters, digits or @ / . _ -'),
  version: versionText,
  stateless: z.boolean().default(false),
  sdkVersion: z.string().max(32),
  description: z.string().max(2_000).default(''),
});
export type BundleManifest = z.output<typeof BundleManifest>;

/** `code` is the exact CommonJS text whose UTF-8 bytes are hashed; `sourceMap` a version-3 map of it. */
export const BundleUpload = z.object({
  manifest: BundleManifest,
  code: z.string(),
  sourceMap: z.string().optional(),
  /** Verified whenever it is there; an organization may require it. */
  signature: BundleSignature.optional(),
});
export type BundleUpload = z.input<typeof BundleUpload>;

export const PlannedChange = z.object({
  action: z.enum(['create', 'update', 'delete', 'unchanged']),
  what: z.enum(['bundle', 'plugin-type', 'step', 'image']),
  name: z.string(),
  differences: z.array(z.object({ field: z.string(), from: z.string(), to: z.string() })),
});
export type PlannedChange = z.output<typeof PlannedChange>;

export const PushResult = z.object({
  bundle: z.object({ name: z.string(), version: z.string(), digest: z.string() }),
  applied: z.boolean(),
  changes: z.array(PlannedChange),
  warnings: z.array(z.string()),
});
export type PushResult = z.output<typeof PushResult>;

export const StepPatch = z.object({
  enabled: z.boolean().optional(),
  rank: z.int32().optional(),
  configuration: z.string().max(100_000).optional(),
});
export type StepPatch = z.output<typeof StepPatch>;

export const StepSummary = z.object({
  id: z.string(),
  name: z.string(),
  message: z.string(),
  table: z.string().nullable(),
  stage: z.number(),
  mode: z.number(),
  rank: z.number(),
  filteringAttributes: z.array(z.string()),
  enabled: z.boolean(),
  bundle: z.string(),
  version: z.string(),
  typeName: z.string(),
});
export type StepSummary = z.output<typeof StepSummary>;

const name = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be lower case, start with a letter, and have at most 63 letters, digits or _');
const label = z.string().min(1).max(256);

export const ColumnDefinition = z.object({
  logicalName: name,
  displayName: label,
  type: z.enum([
    'string',
    'memo',
    'integer',
    'bigint',
    'decimal',
    'float',
    'money',
    'boolean',
    'datetime',
    'date',
    'uuid',
    'choice',
    'multichoice',
    'lookup',
  ]),
  required: z.boolean().default(false),
  maxLength: z.int().min(1).max(1_048_576).optional(),
  scale: z.int().min(0).max(10).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  choices: z
    .array(z.object({ value: z.int32(), label }))
    .max(1_000)
    .optional(),
  targets: z.array(name).min(1).max(16).optional(),
});
export type ColumnDefinition = z.output<typeof ColumnDefinition>;

export const TableDefinition = z.object({
  logicalName: name,
  displayName: label,
  displayCollectionName: label,
  entitySetName: name,
  primaryNameAttribute: name,
  columns: z.array(ColumnDefinition).min(1).max(512),
  keys: z
    .array(z.object({ logicalName: name, columns: z.array(name).min(1).max(8) }))
    .max(16)
    .default([]),
  /** The least role that holds each right; `null`: nobody. */
  rights: z.partialRecord(z.enum(['create', 'read', 'write', 'delete']), z.enum(['user', 'author', 'operator']).nullable()).default({}),
});
export type TableDefinition = z.input<typeof TableDefinition>;

export const Settings = z.object({
  /** 0 Off, 1 Exception, 2 All. */
  pluginTraceLogSetting: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  /** Deepest pipeline that may run, 1 to 8. */
  maxDepth: z.int().min(1).max(8),
  /** Refuse uploads of bundles that are not signed by a registered key. */
  requireSignature: z.boolean(),
});
export type Settings = z.output<typeof Settings>;

export const NewUser = z.object({
  fullname: z.string().min(1).max(256),
  internalemailaddress: z.string().max(256).optional(),
  role: z.enum(['user', 'author', 'operator']),
});
export type NewUser = z.output<typeof NewUser>;

export const NewKey = z.object({ systemuserid: z.uuid(), name: z.string().min(1).max(256), expiresInDays: z.int().min(1).max(3_650).default(365) });
export type NewKey = z.input<typeof NewKey>;

/** The only time that the key itself is shown. */
export const IssuedKey = z.object({ id: z.string(), key: z.string(), expiresOn: z.string() });
export type IssuedKey = z.output<typeof IssuedKey>;

/** `publicKey` is PEM (SPKI), as `airlock keys generate-signing` writes it. */
export const NewSigningKey = z.strictObject({ name: z.string().min(1).max(256), publicKey: z.string().max(1_024) });
export type NewSigningKey = z.output<typeof NewSigningKey>;

export const SigningKey = z.object({
  id: z.string(),
  name: z.string(),
  fingerprint: z.string(),
  createdOn: z.string(),
  createdBy: z.string(),
  revokedOn: z.string().nullable(),
});
export type SigningKey = z.output<typeof SigningKey>;

/** One version of a bundle; `steps` counts those that run it, whoever registered them. */
export const BundleSummary = z.object({
  id: z.string(),
  name: z.string(),
  version: z.string(),
  digest: z.string(),
  description: z.string(),
  isCurrent: z.boolean(),
  stateless: z.boolean(),
  size: z.number(),
  uploadedOn: z.string(),
  uploadedBy: z.string(),
  /** Name of the key whose signature was verified at the upload; `null`: unsigned. */
  signedBy: z.string().nullable(),
  steps: z.number(),
});
export type BundleSummary = z.output<typeof BundleSummary>;

export const AuditRow = z.object({
  id: z.string(),
  on: z.string(),
  userId: z.string(),
  action: z.string(),
  objectType: z.string(),
  objectId: z.string(),
  objectName: z.string().nullable(),
  changes: z.unknown(),
  traceId: z.string().nullable(),
});
export type AuditRow = z.output<typeof AuditRow>;

/** Which system jobs a bulk action is for; what is absent does not matter. */
export const JobFilter = z.strictObject({
  statuscode: z
    .array(z.union([z.literal(0), z.literal(10), z.literal(20), z.literal(21), z.literal(22), z.literal(30), z.literal(31), z.literal(32)]))
    .min(1)
    .max(8)
    .optional(),
  stepId: z.guid().optional(),
  table: z.string().max(128).optional(),
  message: z.string().max(256).optional(),
  regardingId: z.guid().optional(),
  correlationId: z.guid().optional(),
  createdBefore: z.iso.datetime({ offset: true }).optional(),
});
export type JobFilter = z.output<typeof JobFilter>;

/** Either ids or a filter; `until` with the action postpone, and only with it. */
export const JobActionRequest = z
  .strictObject({
    ids: z.array(z.guid()).min(1).max(1_000).optional(),
    filter: JobFilter.optional(),
    until: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(({ ids, filter }) => (ids === undefined) !== (filter === undefined), 'needs either ids or a filter');
export type JobActionRequest = z.output<typeof JobActionRequest>;

export const JobActionResult = z.object({
  matched: z.int(),
  done: z.int(),
  refused: z.array(z.object({ code: z.string(), message: z.string(), count: z.int() })),
  /** There are more jobs than one request acts on: send it again. */
  more: z.boolean(),
});
export type JobActionResult = z.output<typeof JobActionResult>;

export const JobAttempt = z.object({
  attempt: z.int(),
  /** False: given back, so that another attempt has the same number. */
  counted: z.boolean(),
  running: z.boolean(),
  dispatcherId: z.string(),
  workerId: z.string().nullable(),
  startedOn: z.string().nullable(),
  endedOn: z.string().nullable(),
  failure: z.object({ kind: z.string(), errorCode: z.int().nullable(), message: z.string().nullable() }).nullable(),
  receipt: z
    .object({
      wallMs: z.number(),
      cpuMs: z.number(),
      heapBytes: z.number(),
      residentBytes: z.number(),
      hostCalls: z.number(),
      hostCallBytes: z.number(),
      start: z.string(),
    })
    .nullable(),
  traceId: z.string(),
});
export type JobAttempt = z.output<typeof JobAttempt>;

export const JobDetail = z.object({
  id: z.string(),
  name: z.string(),
  state: z.string(),
  statecode: z.int(),
  statuscode: z.int(),
  attempts: z.array(JobAttempt),
  /** Why it is not running, in one sentence; `null` when it runs or is completed. */
  waiting: z.object({ why: z.string(), sentence: z.string(), numbers: z.record(z.string(), z.union([z.number(), z.string()])) }).nullable(),
});
export type JobDetail = z.output<typeof JobDetail>;
