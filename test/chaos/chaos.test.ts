/** The short form of `npm run chaos`: the same faults and the same rules, for a quarter of a minute. */
import { expect, test } from 'vitest';
import { runChaos } from './chaos.ts';

test('what a system that is broken in random order has acknowledged stays true', { timeout: 180_000 }, async () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const report = await runChaos({ seed, seconds: 15, restSeconds: 60, say: () => undefined, trace: () => undefined });
  const broken = report.results.filter((result) => result.broken.length > 0);
  expect(broken, `npm run chaos -- --seconds 15 --seed ${seed}\n${report.faultLog.join('\n')}`).toEqual([]);
  // Rules about operations and jobs that do not exist would hold as well.
  expect(report.account.operations.filter(({ outcome }) => outcome === 'acknowledged').length).toBeGreaterThan(0);
  expect(report.account.evidence.attempts.length).toBeGreaterThan(0);
});
