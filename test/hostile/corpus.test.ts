import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findBwrap, TOOLCHAIN_DIRECTORY } from '../../services/sandbox-worker/src/layers/bwrap-binary.ts';
import { startNatsServer } from '../../services/sandbox-worker/src/test-support/nats-server.ts';
import { readCases } from './case-list.ts';
import { type Line, runMode } from './run-mode.ts';

/**
 * A sample of the corpus with every test run: one case or more of each family, the quick ones. `npm run hostile` plays all of it, in both modes.
 */
const SAMPLE =
  /^(001|002|003|060|139|161|2(00|02|11|12|13|17|19|28|30|35|40|43|44|46|50|53|55|60|61|71|84|95)|3(02|07|20|25|26|28|42|71|83|91|92|93))-/;

test('a sample of the hostile corpus breaks nothing, with all layers on', { timeout: 120_000 }, async () => {
  const { cases, limits: assumed } = readCases(fileURLToPath(new URL('corpus', import.meta.url)));
  // The sample has no endless loops; what is merely slow on a busy machine must not look like one.
  const limits = { ...assumed, wallMs: 8_000, cpuMs: 6_000 };
  await findBwrap(TOOLCHAIN_DIRECTORY);
  await using nats = await startNatsServer();
  const lines: Line[] = [];
  const chosen = cases.filter(({ name }) => SAMPLE.test(name));
  await runMode({ mode: 'jitless', natsUrl: nats.url, cases: chosen, limits, report: (line) => void lines.push(line) });
  expect(lines.filter(({ problems }) => problems.length > 0)).toEqual([]);
  expect(lines.length).toBe(chosen.length + 2);
});

test('every case of the corpus says what it attacks and what must happen', () => {
  const { cases } = readCases(fileURLToPath(new URL('corpus', import.meta.url)));
  for (const { name, code } of cases) expect([name, /\/\/ attack: .+\s+\/\/ must: .+/.test(code)]).toEqual([name, true]);
});
