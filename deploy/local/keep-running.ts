import { setTimeout as delay } from 'node:timers/promises';
import type { ManagedProcess } from './managed-process.ts';

/** More crashes than this within the window, and starting it again would only hide the cause. */
const MAX_CRASHES = 5;
const WINDOW_MS = 60_000;

export interface KeptRunning {
  /** The process that runs now. */
  current(): ManagedProcess;
  stop(): Promise<void>;
}

export interface KeepRunningOptions {
  readonly name: string;
  start(): Promise<ManagedProcess>;
  /** What to tell the person at the terminal. */
  say(text: string): void;
  /** It runs again, as another process. */
  onRestart(): Promise<void>;
  /** It crashed too often, or does not come up. */
  onGiveUp(problem: string): void;
}

/** Starts a service, and starts it again when it ends by itself. */
export async function keepRunning({ name, start, say, onRestart, onGiveUp }: KeepRunningOptions): Promise<KeptRunning> {
  let process = await start();
  let stopping = false;
  const crashes: number[] = [];

  const watch = async (): Promise<void> => {
    while (true) {
      const { code, signal } = await process.exited;
      if (stopping) return;
      const now = performance.now();
      crashes.push(now);
      const recent = crashes.filter((at) => now - at < WINDOW_MS).length;
      const how = signal ?? `exit code ${code ?? 'unknown'}`;
      if (recent > MAX_CRASHES) {
        onGiveUp(`${name} ended ${recent} times within a minute (${how}).\n${process.lines().slice(-20).join('\n')}`);
        return;
      }
      say(`${name} ended by itself (${how}); starting it again`);
      await delay(Math.min(2_000, 200 * 2 ** (recent - 1)));
      if (stopping) return;
      const next = await start();
      process = next;
      // The stop came while it started.
      if (stopping) {
        await next.stop();
        return;
      }
      await onRestart();
    }
  };
  const watched = watch().catch((error: unknown) => onGiveUp(`${name} did not come up again: ${String(error)}`));
  return {
    current: () => process,
    stop: async () => {
      stopping = true;
      await process.stop();
      await watched;
    },
  };
}
