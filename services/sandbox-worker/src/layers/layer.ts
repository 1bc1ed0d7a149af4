/**
 * What stands between a sandbox process and the machine, strongest first:
 *
 *   bwrap             own namespaces: no network, no file of the machine but Node and the child image, nothing writable, no capability
 *   seccomp           no sockets, no processes, none of the calls where kernel bugs have been
 *   no-exec-memory    no memory that is written and executed (only without JIT)
 *   unshare, setpriv  where there is no bubblewrap: no network; no privilege to gain
 *   rlimits           no core file (it would hold records), no file written, few descriptors
 *   process           own group, empty environment, one pipe; always there
 */
export const LAYER_NAMES = ['bwrap', 'seccomp', 'no-exec-memory', 'unshare', 'setpriv', 'rlimits', 'process'] as const;
export type LayerName = (typeof LAYER_NAMES)[number];

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

export interface Layers {
  /** Strongest first; said in every hello. */
  readonly names: readonly LayerName[];
  readonly wrapCommand: (command: Command) => Command;
  /** Opened for each start and handed over as `FILTER_FD`. */
  readonly filterFile: string | undefined;
  /** The process that is started is not the sandbox process but its parent; who that is comes as JSON on `INFO_FD`. */
  readonly pidComesLater: boolean;
}

/** Beside the standard three and the pipe (3). */
export const INFO_FD = 4;
export const FILTER_FD = 5;

/** The process that every worker has. */
export const processOnly: Layers = { names: ['process'], wrapCommand: (command) => command, filterFile: undefined, pidComesLater: false };

export const nodeFlags = (jitless: boolean): readonly string[] => [
  // `--no-node-snapshot` is demanded by isolated-vm. The library's own isolates share the flags of the process.
  '--no-node-snapshot',
  '--no-warnings',
  '--enable-sharedarraybuffer-per-context',
  '--max-old-space-size=128',
  ...(jitless ? ['--jitless'] : []),
];
