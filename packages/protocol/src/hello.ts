import { z } from 'zod';
import { PROTOCOL_VERSION } from './assignment.ts';

/** Slots are counted per depth of the operation (index 0 is depth 1): an operation waits only for deeper ones. */
export const DEPTH_LEVELS = 8;
export const HELLO_INTERVAL_MS = 500;
/** A worker that was not heard of for so long is lost, and so is what it ran. */
export const WORKER_LOST_MS = 2_500;

/** What a worker says of itself every half second, and at once when a slot frees after it had none. */
export const Hello = z.object({
  version: z.literal(PROTOCOL_VERSION),
  kind: z.literal('hello'),
  /** Fresh for each start of the process: tells a restarted worker from one that was merely silent. */
  incarnation: z.string().max(64),
  /** Slots per depth level, and how many of them are free. */
  capacity: z.int().min(0).max(1_024),
  free: z.array(z.int().min(0)).length(DEPTH_LEVELS),
  draining: z.boolean(),
  /** First 12 hex digits of the digests of bundles it has prepared; at most 64. */
  warm: z.array(z.string().max(12)).max(64),
  children: z.int().nonnegative(),
  /** Sandbox layers that are on, strongest first, e.g. `['bwrap', 'seccomp', 'rlimits', 'process']`. */
  layers: z.array(z.string().max(32)).max(16),
  jitless: z.boolean(),
  isolationMode: z.union([z.literal(1), z.literal(2)]),
  nodeVersion: z.string().max(32),
  machine: z.string().max(256),
  kills: z.record(z.string().max(32), z.int().nonnegative()),
});
export type Hello = z.output<typeof Hello>;
