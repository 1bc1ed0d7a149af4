import { fileURLToPath } from 'node:url';
import { findBwrap, TOOLCHAIN_DIRECTORY } from '../../services/sandbox-worker/src/layers/bwrap-binary.ts';
import { startNatsServer } from '../../services/sandbox-worker/src/test-support/nats-server.ts';
import { readCases } from './case-list.ts';
import { type Line, MODES, runMode } from './run-mode.ts';

/**
 * `npm run hostile -- DIR [name part] [mode]`: every bundle of DIR (`*.js` and `expected.json`; without DIR the repository's own corpus) against a
 * real worker over a real nats-server, with JIT and without. One line a case, `N passed, N failed` at the end, exit code 1 if any failed.
 */
const OWN_CORPUS = fileURLToPath(new URL('corpus', import.meta.url));
const [directory = OWN_CORPUS, only = '', onlyMode = ''] = process.argv.slice(2);
const { limits, cases } = readCases(directory);
const chosen = cases.filter(({ name }) => name.includes(only));

let passed = 0;
let failed = 0;
function report({ mode, name, seen, expected, ms, problems }: Line): void {
  const ok = problems.length === 0;
  if (expected !== undefined || !ok) {
    if (ok) passed += 1;
    else failed += 1;
  }
  const other = expected === undefined || seen === expected ? '' : `(expected ${expected}) `;
  const text = `${seen.padEnd(19)}${other}${expected === undefined ? '' : `${Math.round(ms)} ms `}${problems.join('; ')}`;
  console.log(`${ok ? 'pass' : 'FAIL'}  ${mode.padEnd(8)}${name.padEnd(44)} ${text.trimEnd()}`);
}

await findBwrap(TOOLCHAIN_DIRECTORY, (text) => console.log(text));
{
  await using nats = await startNatsServer();
  for (const mode of MODES.filter((name) => onlyMode === '' || name === onlyMode)) {
    await runMode({ mode, natsUrl: nats.url, cases: chosen, limits, report });
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
