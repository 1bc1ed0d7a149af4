import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { areas, REPORTED_FILE_LINES } from './allowed-imports.ts';
import { problemsOf } from './import-rules.ts';
import { readSource } from './read-source.ts';
import { readText, repositoryFiles } from './repository-files.ts';

const sources = repositoryFiles().filter((path) => /^(packages|services|deploy|test)\/.*\.ts$/.test(path) && !path.endsWith('.d.ts'));

function declaredBy(path: string): ReadonlySet<string> {
  const area = areas.find(({ folder }) => path.startsWith(folder));
  if (area === undefined) return new Set();
  const manifest = JSON.parse(readText(posix.join(area.folder, 'package.json'))) as Record<string, Record<string, string> | undefined>;
  // Scripts and configuration beside src/ run on the developer's machine only.
  const withTools = area.builtIn === true || !path.startsWith(`${area.folder}src/`);
  return new Set(Object.keys({ ...manifest['dependencies'], ...(withTools ? manifest['devDependencies'] : {}) }));
}

test('every source keeps to the allowed imports', () => {
  const problems = sources.flatMap((path) => problemsOf({ path, text: readText(path) }, declaredBy(path)));
  expect(problems).toEqual([]);
});

test('the sources that are looked at are those of every area', () => {
  for (const { folder } of areas) expect(sources.filter((path) => path.startsWith(folder)).length, folder).toBeGreaterThan(0);
});

test('long files are reported', () => {
  const long = sources
    .map((path) => ({ path, lines: readSource(path, readText(path)).lines }))
    .filter(({ lines }) => lines > REPORTED_FILE_LINES)
    .toSorted((a, b) => b.lines - a.lines);
  if (long.length > 0) process.stderr.write(`${long.map(({ path, lines }) => `${lines} lines: ${path}`).join('\n')}\n`);
  expect(sources.length).toBeGreaterThan(long.length);
});

describe('the rules themselves', () => {
  const declared = new Set(['postgres', 'isolated-vm', 'pino']);
  const problemsWith = (path: string, text: string) => problemsOf({ path, text }, declared);

  test.for([
    ['a package in the pure pipeline', 'packages/pipeline/src/plan.ts', "import { z } from 'zod';"],
    ['a Node module in the pure pipeline', 'packages/pipeline/src/plan.ts', "import { readFile } from 'node:fs/promises';"],
    ['an export from a refused package', 'packages/plugin-sdk/src/index.ts', "export { z } from 'zod';"],
    ['an import over several lines', 'packages/pipeline/src/plan.ts', "import {\n  a,\n  b,\n} from\n  'zod';"],
    ['a dynamic import', 'services/dispatcher/src/bus/a.ts', "const ivm = await import('isolated-vm');"],
    ['a computed import', 'services/dispatcher/src/bus/a.ts', 'const m = await import(name);'],
    ['isolated-vm in the dispatcher', 'services/dispatcher/src/bus/a.ts', "import ivm from 'isolated-vm';"],
    ['isolated-vm outside of the engine', 'services/sandbox-worker/src/bus/a.ts', "import type ivm from 'isolated-vm';"],
    ['a database driver in the worker', 'services/sandbox-worker/src/main.ts', "import postgres from 'postgres';"],
    ['an adapter that imports another one', 'services/dispatcher/src/http/a.ts', "import { open } from '../store/connection.ts';"],
    ['the dispatcher in the worker', 'services/sandbox-worker/src/main.ts', "import { a } from '@airlock/dispatcher';"],
    ['another package by its path', 'services/dispatcher/src/main.ts', "import { a } from '../../sandbox-worker/src/a.ts';"],
    ['an undeclared package', 'services/dispatcher/src/main.ts', "import { a } from 'left-pad';"],
    ['values where only types may come from', 'packages/telemetry/src/a.ts', "import { a, type B } from '@airlock/protocol';"],
    ['the environment read deep inside', 'services/dispatcher/src/http/a.ts', "const level = process.env['LEVEL'];"],
    ['the environment read by a computed name', 'services/dispatcher/src/http/a.ts', "const level = process['env'].LEVEL;"],
    ['the environment imported', 'services/dispatcher/src/http/a.ts', "import { env } from 'node:process';"],
    ['a very long file', 'services/dispatcher/src/http/a.ts', '\n'.repeat(500)],
  ] as const)('refuse %s', ([, path, text]) => {
    expect(problemsWith(path, text)).toHaveLength(1);
  });

  test.for([
    ['types of the store in http', 'services/dispatcher/src/http/a.ts', "import type { Queryable } from '../store/queryable.ts';"],
    ['test tools in tests', 'packages/pipeline/src/plan.test.ts', "import fc from 'fast-check';"],
    ['isolated-vm in the engine', 'services/sandbox-worker/src/engine/isolate.ts', "import ivm from 'isolated-vm';"],
    ['an import in a comment', 'packages/pipeline/src/plan.ts', "// import { z } from 'zod';"],
    ['the environment in config.ts', 'services/dispatcher/src/config.ts', 'export const env = process.env;'],
    ['main.ts wiring adapters', 'services/dispatcher/src/main.ts', "import { a } from './store/a.ts';\nimport { b } from './http/b.ts';"],
  ] as const)('allow %s', ([, path, text]) => {
    expect(problemsWith(path, text)).toEqual([]);
  });
});
