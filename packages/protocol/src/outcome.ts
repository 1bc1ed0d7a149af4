import { z } from 'zod';
import { PROTOCOL_VERSION } from './assignment.ts';
import { ThrownWire } from './guest-error.ts';
import { cleanText } from './text.ts';

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const detail = z.string().transform((value) => cleanText(value, 2_048));

/** Wire form of pipeline's `RunObservation`. */
export const ObservationWire = z.object({
  deadlineFired: z.boolean(),
  cpuLimitFired: z.boolean(),
  residentLimitFired: z.boolean(),
  heapExhausted: z.boolean(),
  hostCallLimitFired: z.boolean(),
  childDied: z.boolean(),
  shuttingDown: z.boolean(),
  protocolViolation: detail.optional(),
  bundleUnavailable: detail.optional(),
  throttled: detail.optional(),
  thrown: ThrownWire.optional(),
});
export type ObservationWire = z.output<typeof ObservationWire>;

const amount = z.number().nonnegative().finite();
export const ReceiptWire = z.object({
  wallMs: amount,
  cpuMs: amount,
  heapBytes: amount,
  residentBytes: amount,
  hostCalls: amount,
  hostCallBytes: amount,
  start: z.enum(['prepared', 'reused', 'cold']),
});
export type ReceiptWire = z.output<typeof ReceiptWire>;

/** The most trace text that may arrive for one execution, in UTF-16 units (the limits are in bytes and smaller). */
const MAX_TRACE_CHARS = 1_100_000;

export const StepOutcome = z.object({
  executionId: id,
  token: id,
  observation: ObservationWire,
  receipt: ReceiptWire,
  /** Lines joined by line feeds, cleaned; head and tail kept, `traceTruncated` when the middle went. */
  trace: z
    .string()
    .max(MAX_TRACE_CHARS)
    .transform((value) => cleanText(value, MAX_TRACE_CHARS)),
  traceTruncated: z.boolean(),
});
export type StepOutcome = z.output<typeof StepOutcome>;

/**
 * Envelope of the result frame. Lines: envelope, then, when every step succeeded, the `StageState` after the last one
 * (JSON text of a guest: to be parsed with limits). `outcomes` holds the steps that ran, in order.
 */
export const RunResult = z.object({
  version: z.literal(PROTOCOL_VERSION),
  kind: z.literal('ran'),
  runId: id,
  outcomes: z.array(StepOutcome).min(1).max(32),
});
export type RunResult = z.output<typeof RunResult>;

/** The worker has no slot at this depth (or drains): take another one. Nothing ran. */
export const Busy = z.object({ version: z.literal(PROTOCOL_VERSION), kind: z.literal('busy'), runId: id, draining: z.boolean() });
export type Busy = z.output<typeof Busy>;

/** A step as its author declared it in code; checked against the platform's rules by the dispatcher, not here. */
export const DeclaredImage = z.object({
  alias: z.string().max(256),
  type: z.enum(['PreImage', 'PostImage', 'Both']),
  columns: z.array(z.string().max(128)).max(512).optional(),
  messageProperty: z.string().max(256).optional(),
});
export const DeclaredStep = z.object({
  name: z.string().max(256).optional(),
  message: z.string().min(1).max(256),
  table: z.string().max(128).optional(),
  stage: z.enum(['PreValidation', 'PreOperation', 'PostOperation']),
  mode: z.enum(['Synchronous', 'Asynchronous']).default('Synchronous'),
  rank: z.int32().default(1),
  filteringAttributes: z.array(z.string().max(128)).max(512).default([]),
  images: z.array(DeclaredImage).max(32).default([]),
  /** `CallingUser`, `System`, or the uuid of a user. */
  runAs: z.string().max(64).default('CallingUser'),
  configuration: z.string().max(100_000).default(''),
  asyncAutoDelete: z.boolean().default(false),
  orderingKey: z.string().min(1).max(128).optional(),
  maxConcurrency: z.int().min(1).max(1_000).optional(),
  priority: z.int().min(0).max(100).default(0),
  enabled: z.boolean().default(true),
  limits: z.record(z.string(), z.number()).default({}),
  description: z.string().max(256).default(''),
});
export type DeclaredStep = z.output<typeof DeclaredStep>;

/** `hasExecute` false: what the bundle exports as a plug-in type has no such function, and the bundle is refused. */
export const InspectedType = z.object({
  typeName: z.string().min(1).max(256),
  hasExecute: z.boolean().optional(),
  steps: z.array(z.unknown()).max(64),
});
export type InspectedType = z.output<typeof InspectedType>;

/** `failure` says why the bundle cannot be loaded; otherwise `types` lists its plug-in types (`steps` still unchecked). */
export const InspectionResult = z.object({
  version: z.literal(PROTOCOL_VERSION),
  kind: z.literal('inspected'),
  runId: id,
  token: id,
  observation: ObservationWire,
  /** What broke at load, when it was the bundle: `not-parseable` (syntax) or `throws-at-load`. */
  broke: z.enum(['not-parseable', 'throws-at-load']).optional(),
  types: z.array(InspectedType).max(256),
});
export type InspectionResult = z.output<typeof InspectionResult>;

export const WorkerReply = z.discriminatedUnion('kind', [RunResult, Busy, InspectionResult]);
export type WorkerReply = z.output<typeof WorkerReply>;
