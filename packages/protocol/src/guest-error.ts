import { z } from 'zod';
import { cleanText } from './text.ts';

const CAUSE_DEPTH = 4;
export const MAX_MESSAGE_CHARS = 8_192;
const MAX_STACK_CHARS = 16_384;

const text = (max: number) => z.string().transform((value) => cleanText(value, max));

const leaf = z.object({ name: text(128), message: text(MAX_MESSAGE_CHARS), stack: text(MAX_STACK_CHARS) });
export type GuestErrorWire = z.output<typeof leaf> & { cause?: GuestErrorWire | undefined };

/** Causes nest, so the schema is unrolled to a fixed depth: a guest cannot make us recurse. */
export const GuestErrorWire: z.ZodType<GuestErrorWire> = Array.from({ length: CAUSE_DEPTH }).reduce<z.ZodType<GuestErrorWire>>(
  (inner) => leaf.extend({ cause: inner.optional().catch(undefined) }),
  leaf,
);

const MAX_DETAILS = 32;

/** Data of an `InvalidPluginExecutionException`; `details` holds at most 32 pairs. */
export const RejectionWire = z.object({
  status: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4)]),
  errorCode: z.int32(),
  httpStatus: z.int().min(0).max(599),
  message: text(MAX_MESSAGE_CHARS),
  details: z.record(z.string().max(128), text(2_048)).refine((details) => Object.keys(details).length <= MAX_DETAILS, 'too many details'),
  retryAfterMs: z.int().min(0).max(86_400_000).optional(),
});
export type RejectionWire = z.output<typeof RejectionWire>;

/** How the guest says that it ended: the form inside the isolate's `done` message and inside an outcome. */
export const ThrownWire = z.union([z.literal('unreadable'), z.object({ error: GuestErrorWire, rejection: RejectionWire.optional() })]);
export type ThrownWire = z.output<typeof ThrownWire>;
