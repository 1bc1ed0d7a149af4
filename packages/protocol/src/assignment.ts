import { z } from 'zod';

/** Version of every message on the bus. Readers accept this one and, once there is one, the previous. */
export const PROTOCOL_VERSION = 1;

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const digest = z.string().regex(/^[0-9a-f]{64}$/);

export const LimitsWire = z.object({
  wallMs: z.int().positive(),
  cpuMs: z.int().positive(),
  heapBytes: z.int().positive(),
  residentBytes: z.int().positive(),
  traceBytes: z.int().positive(),
  hostCalls: z.int().nonnegative(),
  hostCallsInFlight: z.int().positive(),
  hostCallBytes: z.int().positive(),
});

/** A bundle as a worker needs it: what to load, and the clock its top-level code sees. */
export const BundleReference = z.object({
  digest,
  name: z.string().max(256),
  version: z.string().max(64),
  uploadedAtMs: z.int().nonnegative(),
  stateless: z.boolean(),
});
export type BundleReference = z.output<typeof BundleReference>;

/** One step of an assignment. Line 3 + n of the frame is its `OwnContext` with `configuration`, for the guest. */
export const AssignedStep = z.object({
  /** 22 characters, base64url of 128 random bits. Public: names the execution in logs. */
  executionId: id,
  /** 43 characters, base64url of 256 random bits: the right to speak for the execution. Never enters the child. */
  token: id,
  stepId: z.string().max(64),
  stepName: z.string().max(512),
  bundle: BundleReference,
  typeName: z.string().max(256),
  limits: LimitsWire,
  /** Start of the execution's clock, milliseconds since 1970, and seed of its randomness (hexadecimal, 128 bit). */
  startMs: z.int().nonnegative(),
  seed: z.string().regex(/^[0-9a-f]{32}$/),
});
export type AssignedStep = z.output<typeof AssignedStep>;

/**
 * Envelope of the assign frame. The steps are of one stage of one operation and run one after the other; the first that
 * fails ends the run. Lines: envelope, `StageContext`, `StageState`, then one own context a step.
 */
export const Assignment = z.object({
  version: z.literal(PROTOCOL_VERSION),
  kind: z.literal('run'),
  /** Names the run; unique. */
  runId: id,
  dispatcherId: id,
  organizationId: id,
  /** Depth of the operation, 1 to 8: slots are counted per depth, so that nested operations cannot starve their parents. */
  depth: z.int().min(1).max(64),
  /** W3C trace context of the span that runs the stage. */
  traceparent: z.string().max(64),
  /** Milliseconds from receipt after which the dispatcher no longer waits. */
  budgetMs: z.int().positive(),
  /** Of system jobs: how long it may wait at the worker for a slot; then it is answered as busy. Absent: not at all. */
  queueMs: z.int().nonnegative().max(10_000).optional(),
  steps: z.array(AssignedStep).min(1).max(32),
});
export type Assignment = z.output<typeof Assignment>;

/**
 * Loads a bundle in a sandbox and says what it contains: the check of an upload. Lines: envelope only; the worker
 * asks for the bundle as for any other. Answered with an `InspectionResult` on the result subject.
 */
export const InspectionRequest = z.object({
  version: z.literal(PROTOCOL_VERSION),
  kind: z.literal('inspect'),
  runId: id,
  dispatcherId: id,
  organizationId: id,
  token: id,
  traceparent: z.string().max(64),
  budgetMs: z.int().positive(),
  bundle: BundleReference,
  limits: LimitsWire,
});
export type InspectionRequest = z.output<typeof InspectionRequest>;

export const WorkerRequest = z.discriminatedUnion('kind', [Assignment, InspectionRequest]);
export type WorkerRequest = z.output<typeof WorkerRequest>;

/** Dispatcher → worker on the cancel subject: nobody waits for the run any more; kill it. */
export const Cancellation = z.object({ version: z.literal(PROTOCOL_VERSION), kind: z.literal('cancel'), runId: id, reason: z.string().max(256) });
export type Cancellation = z.output<typeof Cancellation>;
