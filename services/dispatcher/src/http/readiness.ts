import type { Logger } from '@airlock/telemetry';
import { type HttpAnswer, JSON_TYPE } from './fault-response.ts';

/** Readiness of one part, by its name: `database`, `bus`, `workers`. */
export interface Health {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, unknown>>;
}

export interface ReadinessOptions {
  readonly health: () => Promise<Health>;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** Anybody may ask, so an answer is shared for this long: a flood of probes must not become a flood of statements. */
const SHARED_MS = 1_000;

export function createReadiness({ health, logger, nowMs }: ReadinessOptions): () => Promise<HttpAnswer> {
  let latest: { readonly answer: Promise<HttpAnswer>; readonly untilMs: number } | undefined;
  const ask = async (): Promise<HttpAnswer> => {
    try {
      const { ready, parts } = await health();
      return probeAnswer(ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', ...parts });
    } catch (error) {
      logger.error({ err: error }, 'the readiness check failed');
      return probeAnswer(503, { status: 'not ready' });
    }
  };
  return () => {
    if (latest === undefined || nowMs() >= latest.untilMs) latest = { answer: ask(), untilMs: nowMs() + SHARED_MS };
    return latest.answer;
  };
}

export function probeAnswer(status: 200 | 503, value: unknown): HttpAnswer {
  return { status, headers: { 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-store' }, body: JSON.stringify(value) };
}
