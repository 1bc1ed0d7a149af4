/**
 * `npm run chaos [-- --seconds <n>] [-- --seed <n>]`: a whole system under steady load whose parts are killed, stopped, cut
 * off and half cut off in random order; then a ledger check over everything that was acknowledged. Ends with 1 when a rule was broken.
 */
import { parseArgs } from 'node:util';
import { type ChaosReport, runChaos, summaryOf } from './chaos.ts';
import type { Operation } from './load.ts';

const SHOWN = 10;

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new RangeError(`--${name} must be a whole number, not "${text}"`);
  return value;
}

/** Why operations were not acknowledged, the frequent reasons first. */
function reasonsOf(operations: readonly Operation[]): readonly string[] {
  const failed = operations.filter(({ outcome }) => outcome !== 'acknowledged');
  const reasons = Map.groupBy(
    failed,
    ({ outcome, detail }) => `${outcome}: ${detail.replaceAll(/[0-9a-f]{8}(-[0-9a-f-]{27})?/g, '…').slice(0, 120)}`,
  );
  return [...reasons]
    .toSorted((a, b) => b[1].length - a[1].length)
    .slice(0, SHOWN)
    .map(([reason, found]) => `${found.length} × ${reason}`);
}

function print({ results, faults, faultLog, account }: ChaosReport, verbose: boolean): number {
  const { evidence, operations, rest } = account;
  const injected = [...faults].toSorted(([a], [b]) => a.localeCompare(b)).map(([name, count]) => `${name} ${count}`);
  console.log(`faults: ${[...faults.values()].reduce((sum, count) => sum + count, 0)} (${injected.join(', ')})`);
  console.log(summaryOf(operations));
  for (const line of reasonsOf(operations)) console.log(`  ${line}`);
  console.log(`${evidence.jobs.length} jobs kept, ${evidence.ledger.length} deleted themselves, ${evidence.attempts.length} attempts kept`);
  console.log(rest.quietAfterMs === undefined ? 'not at rest' : `at rest after ${(rest.quietAfterMs / 1_000).toFixed(1)} s`);
  const failed = results.filter(({ broken }) => broken.length > 0);
  if (!verbose && failed.length > 0) for (const line of faultLog) console.log(`  ${line}`);
  for (const { rule, broken } of results) {
    console.log(`${broken.length === 0 ? 'ok    ' : 'BROKEN'} ${rule}`);
    for (const place of broken.slice(0, SHOWN)) console.log(`       ${place}`);
    if (broken.length > SHOWN) console.log(`       and ${broken.length - SHOWN} more`);
  }
  console.log(`${results.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(crypto.getRandomValues(new Uint32Array(1))[0]) },
    rest: { type: 'string', default: '180' },
    verbose: { type: 'boolean', default: false },
  },
});
const [seconds, seed, restSeconds] = [wholeNumber('seconds', values.seconds), wholeNumber('seed', values.seed), wholeNumber('rest', values.rest)];
console.log(`seed ${seed}, ${seconds} s; repeat with: npm run chaos -- --seconds ${seconds} --seed ${seed}`);
const report = await runChaos({
  seed,
  seconds,
  restSeconds,
  say: (text) => console.log(text),
  trace: (text) => (values.verbose ? console.log(text) : undefined),
});
process.exitCode = print(report, values.verbose);
