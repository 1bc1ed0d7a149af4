import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Lines kept in memory of what a process wrote, for error messages and for tests. */
const KEPT_LINES = 2_000;

export interface ProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly logFile?: string;
  /** The signal that asks for an orderly end. */
  readonly stopSignal?: NodeJS.Signals;
  readonly stopWithinMs?: number;
}

/** A child process whose output is kept, and which does not outlive us. */
export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** The latest lines of stdout and stderr. */
  lines(): readonly string[];
  /** The first line, past or future, for which `pick` answers something. Rejects when the process ends or the time is over. */
  waitForLine<T>(pick: (line: string) => T | undefined, options: { readonly withinMs: number; readonly what: string }): Promise<T>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
  /** Asks, waits, then kills. */
  stop(): Promise<void>;
}

let watchdog: ChildProcess | undefined;

/** One guard process for all children of this process; see watchdog.mjs. */
function tellWatchdog(line: string): void {
  if (watchdog === undefined) {
    const script = fileURLToPath(new URL('./watchdog.mjs', import.meta.url));
    const started = spawn(process.execPath, [script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: {} });
    started.on('error', () => {});
    started.stdin.on('error', () => {});
    started.unref();
    // The pipe must not keep this process alive either.
    if ('unref' in started.stdin && typeof started.stdin.unref === 'function') started.stdin.unref();
    watchdog = started;
  }
  watchdog.stdin?.write(`${line}\n`);
}

function collectLines(child: ChildProcess, onLine: (line: string) => void, file: WriteStream | undefined): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      file?.write(chunk);
      const parts = (rest + chunk).split('\n');
      rest = (parts.pop() ?? '').slice(-65_536);
      for (const part of parts) onLine(part);
    });
  }
}

export function startProcess(options: ProcessOptions): ManagedProcess {
  const { name, command, args, env, cwd, logFile, stopSignal = 'SIGTERM', stopWithinMs = 10_000 } = options;
  // A process group of its own: Ctrl-C in the terminal reaches only us, and we end the parts in order.
  const child = spawn(command, [...args], { cwd, env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const file = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  const kept: string[] = [];
  const listeners = new Set<(line: string) => void>();
  let startProblem = '';
  collectLines(
    child,
    (line) => {
      kept.push(line);
      if (kept.length > KEPT_LINES) kept.splice(0, kept.length - KEPT_LINES);
      for (const listener of listeners) listener(line);
    },
    file,
  );
  const pid = child.pid ?? -1;
  if (pid > 0) tellWatchdog(`+${pid} ${stopSignal}`);

  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      if (pid > 0) tellWatchdog(`-${pid}`);
      file?.end();
      resolve({ code, signal });
    };
    child.once('error', (error) => {
      startProblem = error.message;
      if (pid <= 0) end(null, null);
    });
    child.once('close', end);
  });
  const describe = () => `${name}${startProblem === '' ? '' : `: ${startProblem}`}\n${kept.slice(-30).join('\n')}`;

  const kill = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  };
  return {
    name,
    pid,
    child,
    exited,
    lines: () => kept,
    kill,
    waitForLine: (pick, { withinMs, what }) =>
      new Promise((resolve, reject) => {
        const done = (settle: () => void) => {
          clearTimeout(timer);
          listeners.delete(look);
          settle();
        };
        const look = (line: string) => {
          const found = pick(line);
          if (found !== undefined) done(() => resolve(found));
        };
        const timer = setTimeout(() => done(() => reject(new Error(`${what} did not come within ${withinMs} ms from ${describe()}`))), withinMs);
        listeners.add(look);
        for (const line of kept) look(line);
        void exited.then(() => done(() => reject(new Error(`the process ended before ${what} came from ${describe()}`))));
      }),
    stop: async () => {
      kill(stopSignal);
      const timer = setTimeout(() => kill('SIGKILL'), stopWithinMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
