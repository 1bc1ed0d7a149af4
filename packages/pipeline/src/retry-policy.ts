import type { Attempt } from './ids.ts';

/** How often a system job is tried, and how long it waits in between. "The asynchronous service attempts the plug-in four times" (dataverse-facts §3.2). */
export interface RetryPolicy {
  /** Tries in all, the first one included. */
  readonly maxAttempts: number;
  readonly firstDelayMs: number;
  /** Each further delay is this many times the one before. */
  readonly factor: number;
  readonly maxDelayMs: number;
  /** Share of the delay by which jitter moves it, up or down: 0.2 is ±20 %. */
  readonly jitterShare: number;
}

/** After the first try about 10 s, after the second 40 s, after the third 160 s; then the job is failed. */
export const fourAttempts: RetryPolicy = { maxAttempts: 4, firstDelayMs: 10_000, factor: 4, maxDelayMs: 3_600_000, jitterShare: 0.2 };

/** The longest wait that a plug-in may ask for. */
export const MAX_RETRY_AFTER_MS = 86_400_000;

export interface RetryDelayRequest {
  /** The attempt that just ended. */
  readonly attempt: Attempt;
  /** From 0 up to 1, so that the policy stays pure. */
  readonly jitter: number;
  /** What the plug-in asked for; honoured as it is, within its limit. */
  readonly retryAfterMs?: number | undefined;
}

export function retryDelayMs(policy: RetryPolicy, { attempt, jitter, retryAfterMs }: RetryDelayRequest): number {
  if (retryAfterMs !== undefined) return Math.min(Math.max(0, Math.round(retryAfterMs)), MAX_RETRY_AFTER_MS);
  const base = Math.min(policy.firstDelayMs * policy.factor ** (attempt - 1), policy.maxDelayMs);
  return Math.round(base * (1 + policy.jitterShare * (2 * jitter - 1)));
}
