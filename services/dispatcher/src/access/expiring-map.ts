interface Entry<V> {
  readonly value: V;
  readonly expiresAtMs: number;
}

/** A map that forgets: each entry after `ttlMs`, the oldest when there are more than `maxEntries`. The clock comes in. */
export function createExpiringMap<V>({ ttlMs, maxEntries }: { readonly ttlMs: number; readonly maxEntries: number }) {
  const entries = new Map<string, Entry<V>>();
  return {
    get(key: string, nowMs: number): V | undefined {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (nowMs < entry.expiresAtMs) return entry.value;
      entries.delete(key);
      return undefined;
    },
    set(key: string, value: V, nowMs: number): void {
      entries.delete(key);
      entries.set(key, { value, expiresAtMs: nowMs + ttlMs });
      if (entries.size <= maxEntries) return;
      const oldest = entries.keys().next();
      if (oldest.done !== true) entries.delete(oldest.value);
    },
    delete(key: string): void {
      entries.delete(key);
    },
    /** Removes the entry only while it still holds `value`. */
    deleteIf(key: string, value: V): void {
      if (entries.get(key)?.value === value) entries.delete(key);
    },
    get size(): number {
      return entries.size;
    },
  };
}
