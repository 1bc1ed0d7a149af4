import { accessSync, constants } from 'node:fs';
import path from 'node:path';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** What stands between a sandbox process and the machine. A layer wraps the command that starts the process. */
export interface Layers {
  /** Strongest first; said in every hello. */
  readonly names: readonly string[];
  readonly wrapCommand: (command: Command) => Command;
}

function onPath(name: string, searchPath: string): string | undefined {
  for (const directory of searchPath.split(path.delimiter)) {
    const file = path.join(directory, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // the next directory
    }
  }
  return undefined;
}

/**
 * The layers that this machine allows. `prlimit` keeps a crash from writing a core file (it would hold the records of
 * the execution) and a sandbox process from writing any file at all; the process itself (own group, empty environment,
 * one pipe) is always there.
 */
export function detectLayers({ searchPath }: { readonly searchPath: string }): Layers {
  const prlimit = onPath('prlimit', searchPath);
  if (prlimit === undefined) return { names: ['process'], wrapCommand: (command) => command };
  const limits = ['--core=0', '--fsize=0', '--nofile=128', '--'];
  return {
    names: ['rlimits', 'process'],
    wrapCommand: ({ file, args }) => ({ file: prlimit, args: [...limits, file, ...args] }),
  };
}
