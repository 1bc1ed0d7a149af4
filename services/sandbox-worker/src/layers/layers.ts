import { spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { engineFile, engineModules, libraryDirectories, libraryLinks, loadedLibraries, programLoader, type Visible } from './host-paths.ts';
import { seccompFilter } from './seccomp.ts';

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

export interface LayerOptions {
  readonly searchPath: string;
  /** The operator's own; it must work then. */
  readonly bwrap: string | undefined;
  /** Where to look when it is not on the path. */
  readonly fallbackBwrap?: string;
  readonly jitless: boolean;
  readonly imageDirectory: string;
  readonly arch: string;
  readonly isRoot: boolean;
}

export interface Detected {
  readonly layers: Layers;
  /** Why stronger ones are not on. */
  readonly tried: readonly string[];
}

/** Above what any registration may raise a step's resident limit to (768 MiB): the last resort when the supervisor is slow. */
const DATA_LIMIT = 896 * 1024 * 1024;
const PROBE_TIMEOUT_MS = 10_000;
/** `nobody` */
const NO_USER = '65534';

/** The layers that this machine allows: the strongest arrangement in which a sandbox process starts. */
export function detectLayers(options: LayerOptions): Detected {
  const tried: string[] = [];
  for (const layers of arrangements(options, tried)) {
    const problem = layers.names.length === 1 ? undefined : probe(layers, options.jitless);
    if (problem === undefined) return { layers, tried };
    tried.push(`${layers.names.join(' + ')}: ${problem}`);
  }
  return { layers: processOnly, tried };
}

const processOnly: Layers = { names: ['process'], wrapCommand: (command) => command, filterFile: undefined, pidComesLater: false };

function* arrangements(options: LayerOptions, tried: string[]): Generator<Layers> {
  const { searchPath, jitless, arch, isRoot } = options;
  const prlimit = onPath('prlimit', searchPath);
  const limited = (layers: Layers): Layers => (prlimit === undefined ? layers : withLimits(layers, prlimit, jitless));
  const filterFile = arch === 'x64' || arch === 'arm64' ? writeFilter(options.imageDirectory, arch, jitless) : undefined;
  if (filterFile === undefined) tried.push(`seccomp: there is no list of system calls for ${arch}`);
  const bwrap = options.bwrap ?? onPath('bwrap', searchPath) ?? (isExecutable(options.fallbackBwrap) ? options.fallbackBwrap : undefined);
  if (bwrap === undefined) tried.push('bwrap: not installed (Debian and Ubuntu: apt-get install bubblewrap), and AIRLOCK_BWRAP is not set');
  else {
    const exact = [...libraryLinks(), ...loadedLibraries(), ...programLoader(realpathSync(process.execPath))];
    for (const libraries of [exact, libraryDirectories()]) yield limited(inBubblewrap(bwrap, libraries, filterFile, options));
    if (filterFile !== undefined) yield limited(inBubblewrap(bwrap, libraryDirectories(), undefined, options));
  }
  const setpriv = onPath('setpriv', searchPath);
  const unshare = onPath('unshare', searchPath);
  if (setpriv !== undefined) {
    const filter = filterFile !== undefined && knowsSeccomp(setpriv) ? [filterFile, undefined] : [undefined];
    const identities = isRoot ? [['--reuid', NO_USER, '--regid', NO_USER, '--clear-groups'], []] : [[]];
    for (const file of filter) {
      for (const identity of identities) {
        if (unshare !== undefined) yield limited(withoutPrivileges({ setpriv, unshare, identity, filterFile: file, isRoot, jitless }));
        yield limited(withoutPrivileges({ setpriv, unshare: undefined, identity, filterFile: file, isRoot, jitless }));
      }
    }
  }
  yield limited(processOnly);
}

const filterNames = (filterFile: string | undefined, jitless: boolean): LayerName[] =>
  filterFile === undefined ? [] : jitless ? ['seccomp', 'no-exec-memory'] : ['seccomp'];

function inBubblewrap(bwrap: string, libraries: readonly Visible[], filterFile: string | undefined, options: LayerOptions): Layers {
  const node = realpathSync(process.execPath);
  const seen: readonly Visible[] = [
    ...libraries,
    { kind: 'bind', from: node, to: '/node' },
    { kind: 'bind', from: options.imageDirectory, to: options.imageDirectory },
    ...engineModules(),
  ];
  const binds = seen.flatMap((one) => (one.kind === 'bind' ? ['--ro-bind', one.from, one.to] : ['--symlink', one.target, one.to]));
  const args = [
    ...['--unshare-all', '--die-with-parent', '--new-session'],
    // The sandbox process is the first of its namespace: its number is known, and when it is killed nothing is left in there.
    '--as-pid-1',
    ...['--cap-drop', 'ALL', '--uid', NO_USER, '--gid', NO_USER, '--hostname', 'sandbox'],
    ...['--clearenv', '--setenv', 'TZ', 'UTC', '--setenv', 'LC_ALL', 'C.UTF-8'],
    // No /proc, no /dev, no /tmp: Node needs none of them.
    ...binds,
    ...['--remount-ro', '/', '--chdir', '/'],
    ...(filterFile === undefined ? [] : ['--seccomp', String(FILTER_FD)]),
    ...['--info-fd', String(INFO_FD), '--'],
  ];
  return {
    names: ['bwrap', ...filterNames(filterFile, options.jitless), 'process'],
    // Whatever is to be started is our Node, at its place inside.
    wrapCommand: (command) => ({ file: bwrap, args: [...args, '/node', ...command.args] }),
    filterFile,
    pidComesLater: true,
  };
}

interface Unprivileged {
  readonly setpriv: string;
  readonly unshare: string | undefined;
  readonly identity: readonly string[];
  readonly filterFile: string | undefined;
  readonly isRoot: boolean;
  readonly jitless: boolean;
}

/** Each of these replaces itself by the next: the process that is started is the sandbox process. */
function withoutPrivileges({ setpriv, unshare, identity, filterFile, isRoot, jitless }: Unprivileged): Layers {
  const args = [
    ...['--pdeathsig', 'KILL', '--no-new-privs'],
    ...(isRoot ? ['--bounding-set=-all', '--inh-caps=-all', ...identity] : []),
    ...(filterFile === undefined ? [] : [`--seccomp-filter=${filterFile}`]),
    '--',
  ];
  const isolate = ['--net', '--ipc', '--uts', ...(isRoot ? [] : ['--user']), '--'];
  return {
    names: [...filterNames(filterFile, jitless), ...(unshare === undefined ? [] : (['unshare'] as const)), 'setpriv', 'process'],
    wrapCommand: ({ file, args: rest }) =>
      unshare === undefined
        ? { file: setpriv, args: [...args, file, ...rest] }
        : { file: unshare, args: [...isolate, setpriv, ...args, file, ...rest] },
    filterFile: undefined,
    pidComesLater: false,
  };
}

function withLimits(layers: Layers, prlimit: string, jitless: boolean): Layers {
  // With JIT V8 reserves a gigabyte of address space that counts as data.
  const limits = ['--core=0', '--fsize=0', '--nofile=64', ...(jitless ? [`--data=${DATA_LIMIT}`] : []), '--'];
  return {
    ...layers,
    names: [...layers.names.slice(0, -1), 'rlimits', 'process'],
    wrapCommand: (command) => {
      const { file, args } = layers.wrapCommand(command);
      return { file: prlimit, args: [...limits, file, ...args] };
    },
  };
}

export const nodeFlags = (jitless: boolean): readonly string[] => [
  // `--no-node-snapshot` is demanded by isolated-vm. The library's own isolates share the flags of the process.
  '--no-node-snapshot',
  '--no-warnings',
  '--enable-sharedarraybuffer-per-context',
  '--max-old-space-size=128',
  ...(jitless ? ['--jitless'] : []),
];

/** Starts Node with an isolate inside the layers once. Says why that did not work. */
function probe(layers: Layers, jitless: boolean): string | undefined {
  const script = `new (require(${JSON.stringify(engineFile())}).Isolate)(); process.exit(0)`;
  const { file, args } = layers.wrapCommand({ file: process.execPath, args: [...nodeFlags(jitless), '-e', script] });
  const filter = layers.filterFile === undefined ? undefined : openSync(layers.filterFile, 'r');
  try {
    const stdio = [
      'ignore',
      'ignore',
      'pipe',
      'ignore',
      ...(layers.pidComesLater ? ['pipe' as const] : []),
      ...(filter === undefined ? [] : [filter]),
    ];
    const done = spawnSync(file, args, { env: {}, cwd: '/', timeout: PROBE_TIMEOUT_MS, stdio: stdio as ('ignore' | 'pipe' | number)[] });
    if (done.status === 0) return undefined;
    const said = done.stderr?.toString('utf8').trim().split('\n').at(-1) ?? '';
    return done.error?.message ?? (said === '' ? `it ended with ${done.signal ?? done.status}` : said.slice(0, 300));
  } finally {
    if (filter !== undefined) closeSync(filter);
  }
}

function writeFilter(directory: string, arch: 'x64' | 'arm64', jitless: boolean): string {
  const file = path.join(directory, 'seccomp.bpf');
  writeFileSync(file, seccompFilter({ arch, noExecutableMemory: jitless }), { mode: 0o644 });
  return file;
}

/** util-linux 2.39 and newer. */
const knowsSeccomp = (setpriv: string): boolean => spawnSync(setpriv, ['--help'], { timeout: 2_000 }).stdout?.includes('--seccomp-filter') ?? false;

function isExecutable(file: string | undefined): boolean {
  if (file === undefined) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onPath(name: string, searchPath: string): string | undefined {
  // A relative entry would depend on the directory that the worker was started in.
  const files = searchPath.split(path.delimiter).filter(path.isAbsolute);
  return files.map((directory) => path.join(directory, name)).find(isExecutable);
}
