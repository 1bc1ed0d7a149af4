import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface WorkerProcess extends AsyncDisposable {
  readonly pid: number;
  readonly process: ChildProcess;
  readonly log: () => string;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
}

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const MAX_LOG = 1_000_000;

/** The real worker, as a process of its own. */
export function startWorkerProcess(env: Readonly<Record<string, string>>): WorkerProcess {
  const child = spawn(process.execPath, [main], { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const keep = (chunk: Buffer): void => {
    log = (log + chunk.toString('utf8')).slice(-MAX_LOG);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  if (child.pid === undefined) throw new Error('the worker could not be started');
  return {
    pid: child.pid,
    process: child,
    log: () => log,
    exited,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
      }
      await exited;
    },
  };
}
