import { expect } from 'vitest';

/** Waits for a condition by asking for it; what a failed poll threw is the reason of the failed test. */
export async function until(condition: () => boolean | Promise<boolean>, { withinMs = 20_000 }: { readonly withinMs?: number } = {}): Promise<void> {
  await expect.poll(condition, { timeout: withinMs, interval: 20 }).toBe(true);
}
