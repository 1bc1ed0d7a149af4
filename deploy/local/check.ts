/**
 * `npm run check`: everything about the source that needs no running system. Each check is one process; all of them run even
 * when one fails, so that one run shows all there is to repair. `--summary <file>` writes the counts for a caller.
 */
import { spawn } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const tool = (path: string) => join(ROOT, 'node_modules', path);

interface Check {
  readonly name: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

interface Checked {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly output: string;
}

/** Every folder of the workspace that has a tsconfig.json. */
async function typeChecks(): Promise<Check[]> {
  const found: string[] = [];
  for (const group of ['packages', 'services', 'examples', 'deploy']) {
    const entries = await readdir(join(ROOT, group), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) if (entry.isDirectory()) found.push(join(group, entry.name));
  }
  found.push('test');
  const checks: Check[] = [];
  for (const folder of found) {
    const names = await readdir(join(ROOT, folder));
    if (!names.includes('tsconfig.json')) continue;
    checks.push({ name: `types of ${folder}`, args: [tool('typescript/bin/tsc'), '-p', '.'], cwd: join(ROOT, folder) });
  }
  return checks;
}

const OTHERS: readonly Check[] = [
  { name: 'lint', args: [tool('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'format', args: [tool('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'unused code and dependencies', args: [tool('knip/bin/knip.js'), '--no-progress'] },
  { name: 'rules of the repository', args: [tool('vitest/vitest.mjs'), 'run', '--project', 'repository'] },
];

function runCheck({ name, args, cwd = ROOT }: Check): Promise<Checked> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    const end = (passed: boolean, problem: string) =>
      resolve({ name, passed, seconds: (performance.now() - startedAt) / 1_000, output: Buffer.concat(chunks).toString('utf8') + problem });
    child.once('error', (error) => end(false, error.message));
    child.once('close', (code) => end(code === 0, ''));
  });
}

/** As many at once as there are cores. */
async function runAll(checks: readonly Check[]): Promise<Checked[]> {
  const results: Checked[] = [];
  const queue = [...checks];
  const lane = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const result = await runCheck(next);
      results.push(result);
      console.log(`${result.passed ? 'ok  ' : 'FAIL'} ${result.name} (${result.seconds.toFixed(1)} s)`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, cpus().length) }, lane));
  return results;
}

const { values } = parseArgs({ options: { summary: { type: 'string' } } });
const results = await runAll([...OTHERS, ...(await typeChecks())]);
const failed = results.filter((result) => !result.passed);
for (const { name, output } of failed) console.log(`\n=== ${name}\n${output.trim()}`);
console.log(`\n${results.length - failed.length} checks passed, ${failed.length} failed`);
if (values.summary !== undefined) {
  await mkdir(dirname(values.summary), { recursive: true });
  await writeFile(values.summary, JSON.stringify({ passed: results.length - failed.length, failed: failed.length }));
}
process.exitCode = failed.length === 0 ? 0 : 1;
