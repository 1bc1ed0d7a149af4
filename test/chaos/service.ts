import { setTimeout as delay } from 'node:timers/promises';
import type { ManagedProcess } from '@airlock/local/process';

const STOP_WITHIN_MS = 20_000;
const START_AGAIN_MS = 500;

/** One process of the system that the run may end and start again. */
export interface Service {
  readonly name: string;
  readonly running: boolean;
  readonly pid: number | undefined;
  /** As a crash does. */
  kill(): Promise<void>;
  /** As a deployment does; killed when it takes too long. */
  terminate(): Promise<void>;
  /** Tries until it runs: what it needs may be down as well. */
  start(): Promise<void>;
}

/** What the services did that nobody asked them for. */
export interface Surprises {
  /** A service ended by itself. */
  readonly ended: string[];
  /** An orderly end took too long. */
  readonly killed: string[];
}

export interface ServiceOptions {
  readonly name: string;
  readonly startOnce: () => Promise<ManagedProcess>;
  readonly surprises: Surprises;
  readonly signal: AbortSignal;
}

export function serviceOf({ name, startOnce, surprises, signal }: ServiceOptions): Service {
  let process: ManagedProcess | undefined;
  const end = async (how: 'SIGKILL' | 'SIGTERM') => {
    const ending = process;
    process = undefined;
    if (ending === undefined) return;
    ending.kill(how);
    const timer = setTimeout(() => {
      surprises.killed.push(`${name} did not end within ${STOP_WITHIN_MS} ms of ${how}:\n${ending.lines().slice(-5).join('\n')}`);
      ending.kill('SIGKILL');
    }, STOP_WITHIN_MS);
    await ending.exited;
    clearTimeout(timer);
  };
  const startAgain = async (): Promise<ManagedProcess> => {
    for (;;) {
      try {
        return await startOnce();
      } catch (error) {
        if (signal.aborted) throw error;
        await delay(START_AGAIN_MS);
      }
    }
  };
  return {
    name,
    get running() {
      return process !== undefined;
    },
    get pid() {
      return process?.pid;
    },
    kill: () => end('SIGKILL'),
    terminate: () => end('SIGTERM'),
    start: async () => {
      if (process !== undefined) return;
      const started = await startAgain();
      process = started;
      void started.exited.then(({ code, signal: by }) => {
        if (process !== started) return;
        process = undefined;
        surprises.ended.push(`${name} ended with ${code ?? by ?? '?'}:\n${started.lines().slice(-15).join('\n')}`);
      });
    },
  };
}
