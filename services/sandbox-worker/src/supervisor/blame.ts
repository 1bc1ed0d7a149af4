/**
 * Who keeps killing sandbox processes. A child that dies costs a restart, and a bundle that does it at full rate would cost everyone else
 * theirs; so after some kills its executions are refused for a while, longer each time. Per organization and bundle: what one organization's
 * data does to a bundle says nothing about another's.
 *
 *   quiet ──kill (5th in 60 s)──▶ throttled 10 s ──time──▶ on trial ──kill──▶ throttled twice as long (≤ 10 min)
 *     ▲                                                       │
 *     ╰───────────────── 10 min without a kill ───────────────╯
 */
export interface BlamePolicy {
  readonly kills: number;
  readonly windowMs: number;
  readonly pauseMs: number;
  readonly longestPauseMs: number;
  readonly forgetMs: number;
  /** Bundles remembered; the one that killed longest ago is forgotten first. */
  readonly bundles: number;
}

export const defaultBlamePolicy: BlamePolicy = {
  kills: 5,
  windowMs: 60_000,
  pauseMs: 10_000,
  longestPauseMs: 600_000,
  forgetMs: 600_000,
  bundles: 1_024,
};

export interface KillFacts {
  readonly killsInWindow: number;
  readonly causes: Readonly<Record<string, number>>;
  /** 0: it may run on. */
  readonly pausedForMs: number;
}

export interface Blame {
  /** A sandbox process died of this bundle. */
  readonly killed: (organizationId: string, digest: string, cause: string) => KillFacts;
  /** Why the bundle must wait, until when, and what helps; `undefined` when it may run. */
  readonly throttled: (organizationId: string, digest: string) => string | undefined;
  /** Executions refused so far. */
  readonly refused: () => number;
}

interface Entry {
  kills: { readonly atMs: number; readonly cause: string }[];
  pauses: number;
  untilMs: number;
}

export interface BlameClocks {
  readonly nowMs: () => number;
  /** For what people read. */
  readonly wallMs: () => number;
}

export function createBlame({ nowMs, wallMs }: BlameClocks, policy: BlamePolicy = defaultBlamePolicy): Blame {
  const entries = new Map<string, Entry>();
  let refused = 0;
  const keyOf = (organizationId: string, digest: string): string => `${organizationId}/${digest}`;

  const current = (key: string, now: number): Entry | undefined => {
    const entry = entries.get(key);
    const last = entry?.kills.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
    if (entry === undefined || Math.max(last, entry.untilMs) + policy.forgetMs > now) return entry;
    entries.delete(key);
    return undefined;
  };
  const causesOf = (entry: Entry): Record<string, number> => {
    const causes: Record<string, number> = {};
    for (const { cause } of entry.kills) causes[cause] = (causes[cause] ?? 0) + 1;
    return causes;
  };

  return {
    killed: (organizationId, digest, cause) => {
      const key = keyOf(organizationId, digest);
      const now = nowMs();
      const entry = current(key, now) ?? { kills: [], pauses: 0, untilMs: 0 };
      entries.delete(key);
      entries.set(key, entry);
      if (entries.size > policy.bundles) entries.delete(entries.keys().next().value ?? '');
      entry.kills = [...entry.kills.filter(({ atMs }) => now - atMs < policy.windowMs), { atMs: now, cause }].slice(-64);
      // What was under way when the pause began may still die in it; that is not another offence.
      const isPaused = now < entry.untilMs;
      if (!isPaused && (entry.pauses > 0 || entry.kills.length >= policy.kills)) {
        entry.untilMs = now + Math.min(policy.longestPauseMs, policy.pauseMs * 2 ** entry.pauses);
        entry.pauses = Math.min(32, entry.pauses + 1);
      }
      return { killsInWindow: entry.kills.length, causes: causesOf(entry), pausedForMs: Math.max(0, entry.untilMs - now) };
    },
    throttled: (organizationId, digest) => {
      const now = nowMs();
      const entry = current(keyOf(organizationId, digest), now);
      if (entry === undefined || now >= entry.untilMs) return undefined;
      refused += 1;
      const causes = Object.entries(causesOf(entry)).map(([cause, count]) => `${count} × ${cause}`);
      const until = new Date(wallMs() + entry.untilMs - now).toISOString();
      return (
        `its bundle ended ${entry.kills.length} sandbox processes of one worker within ${policy.windowMs / 1_000} s (${causes.join(', ')}). ` +
        `That worker takes it again at ${until}. To lift this: push a fixed version, or disable the step; or wait.`
      );
    },
    refused: () => refused,
  };
}
