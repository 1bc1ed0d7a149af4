import { z } from 'zod';
import { ThrownWire } from './guest-error.ts';

/**
 * What crosses the isolate boundary: strings. The guest posts `(kind, id, text)`, the host calls captured guest functions
 * back with text. Everything the guest posts is a guest's word and is parsed with these schemas in the sandbox process
 * and again, where it travels on, in the supervisor.
 */
export const GuestPost = z.discriminatedUnion('kind', [
  /** Text of one trace line, already cut by the guest runtime's own budget. */
  z.object({ kind: z.literal('trace'), text: z.string().max(1_100_000) }),
  /** A host call: `service` travels on, `timer` and `crypto` are answered by the sandbox process. */
  z.object({ kind: z.literal('call'), id: z.int().nonnegative(), to: z.enum(['service', 'timer', 'crypto', 'fetch']), text: z.string() }),
  /** The guest ran over a budget that ends the execution: the supervisor ends it. Stands in place of `done`. */
  z.object({ kind: z.literal('limit'), what: z.literal('host-calls') }),
  /** The end. `state` is the `StageState` JSON when nothing was thrown. */
  z.object({ kind: z.literal('done'), state: z.string().optional(), thrown: ThrownWire.optional() }),
]);
export type GuestPost = z.output<typeof GuestPost>;
