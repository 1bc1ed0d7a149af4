import { cleanText, InspectedType, ThrownWire } from '@airlock/protocol';
import { z } from 'zod';

/** What a sandbox process says, as the supervisor reads it: the word of whoever wrote the plug-in. */
const run = z.int().nonnegative();
const amount = z.number().nonnegative().finite();
const detail = z.string().transform((value) => cleanText(value, 2_048));
const end = z.enum(['done', 'thrown', 'heap', 'deadline', 'host-calls', 'protocol']);

const Use = z.object({
  start: z.enum(['prepared', 'reused', 'cold']),
  heapBytes: amount,
  cpuMs: amount,
  residentBytes: amount,
  hostCalls: z.int().nonnegative(),
});

/** Before a guest was in it, so still the word of our own program. */
const Found = z.object({
  network: z.string().max(64),
  writable: z.array(z.string().max(256)).max(16),
  environment: z.array(z.string().max(256)).max(16),
  descriptors: z.array(z.int()).max(64),
});

export const ChildMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), found: Found }),
  z.object({ kind: z.literal('prepared'), digest: z.string().max(64), count: z.int().min(0).max(64) }),
  z.object({ kind: z.literal('trace'), run, text: z.string() }),
  z.object({ kind: z.literal('call'), run, callId: z.int().nonnegative() }),
  z.object({ kind: z.literal('fetch'), run, callId: z.int().nonnegative() }),
  z.object({ kind: z.literal('end'), run, end, detail, use: Use }),
  z.object({ kind: z.literal('inspected'), run, end, detail }),
  z.object({ kind: z.literal('mapped'), run }),
  z.object({ kind: z.literal('fatal'), reason: z.enum(['heap', 'stuck']) }),
]);
export type ChildMessage = z.output<typeof ChildMessage>;

/** Second line of `inspected`. */
export const InspectionAnswer = z.union([
  z.object({ ok: z.literal(true), types: z.array(InspectedType).max(256) }),
  z.object({ ok: z.literal(false), broke: z.enum(['not-parseable', 'throws-at-load']).default('throws-at-load'), thrown: ThrownWire }),
]);
export type InspectionAnswer = z.output<typeof InspectionAnswer>;
