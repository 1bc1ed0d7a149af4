import type { ConnectionSettings } from '../store/connection.ts';
import { PlatformDatabase } from '../store/platform-database.ts';

/**
 * Planner settings of the queue's own connections. The queue's tables change faster than their statistics: believing them,
 * the planner has been seen to sort a hundred thousand rows to claim one. Every statement of the queue is written for one
 * index, so the other ways are switched off and the plan is made once (`queue-plans.test.ts` holds it).
 */
const pinned = {
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  // Statistics of an almost empty queue make a sort look free: any index of the step, then a sort of a hundred thousand rows.
  enable_sort: 'off',
  enable_incremental_sort: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  plan_cache_mode: 'force_generic_plan',
  jit: 'off',
} as const;

/**
 * A dispatcher that vanishes from the network must not hold on: the server notices within about ten seconds, rolls back what
 * was open, and gives the locks of its attempts' service calls free, so that their jobs can be taken over.
 */
const watched = { tcp_keepalives_idle: '4', tcp_keepalives_interval: '2', tcp_keepalives_count: '3', tcp_user_timeout: '10000' } as const;

function withParameters(url: string, parameters: Readonly<Record<string, string>>): string {
  return `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(parameters).toString()}`;
}

/** For the connections of attempts. */
export function watchedSettings(settings: ConnectionSettings): ConnectionSettings {
  return { ...settings, url: withParameters(settings.url, watched) };
}

const STATEMENT_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 2_000;

export function pinnedSettings(settings: ConnectionSettings): ConnectionSettings {
  return {
    url: withParameters(settings.url, { ...watched, ...pinned }),
    statementTimeoutMs: Math.min(settings.statementTimeoutMs, STATEMENT_TIMEOUT_MS),
    lockTimeoutMs: Math.min(settings.lockTimeoutMs, LOCK_TIMEOUT_MS),
    // A transaction of the queue that idles belongs to a dispatcher that died without a word.
    idleInTransactionTimeoutMs: 5_000,
  };
}

/** The queue's connections: claims, results and leases never wait for operations, nor operations for them. */
export function openJobDatabase(settings: ConnectionSettings): PlatformDatabase {
  return new PlatformDatabase(pinnedSettings(settings));
}
