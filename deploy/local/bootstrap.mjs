/**
 * The door of every root script: `node deploy/local/bootstrap.mjs <task> [arguments]`. Runs on any Node from 20 on, without a
 * dependency, because it is what installs them. It finds or installs the right Node and pnpm, installs the workspace when the
 * lock file changed, and runs the task with that Node.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BootstrapError, ensureToolchain, ensureWorkspace } from './toolchain.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** What Node is given for each task; the user's own arguments follow. */
const TASKS = {
  start: ['deploy/local/start.ts'],
  test: ['node_modules/vitest/vitest.mjs', 'run'],
  check: ['deploy/local/check.ts'],
  bench: ['test/bench/run.ts'],
  hostile: ['test/hostile/run.ts'],
  chaos: ['test/chaos/run.ts'],
  format: ['node_modules/@biomejs/biome/bin/biome', 'check', '--write', '.'],
};

/** Runs the task in the foreground and answers its exit code; a signal that ends us is passed on first. */
function runTask(toolchain, task, args) {
  return new Promise((resolve, reject) => {
    // The fourth descriptor is a pipe that nobody writes to: when this process is gone, even by SIGKILL, the task reads its end.
    const child = spawn(toolchain.node, [...TASKS[task], ...args], {
      cwd: root,
      stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
      env: {
        ...process.env,
        PATH: `${dirname(toolchain.node)}:${process.env.PATH ?? ''}`,
        // Only for the launcher itself: services refuse variables of ours that they do not know.
        ...(task === 'start' ? { AIRLOCK_LAUNCHER_FD: '3' } : {}),
      },
    });
    const forward = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + ({ SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 1)));
  });
}

const [task = '', ...args] = process.argv.slice(2);
try {
  if (!Object.hasOwn(TASKS, task)) throw new BootstrapError(`There is no task "${task}". The tasks are: ${Object.keys(TASKS).join(', ')}.`);
  const toolchain = await ensureToolchain(root);
  await ensureWorkspace(root, toolchain);
  process.exitCode = await runTask(toolchain, task, args);
} catch (error) {
  if (!(error instanceof BootstrapError)) throw error;
  process.stderr.write(`\nAirlock: ${error.message}\n`);
  process.exitCode = 1;
}
