import { spawnSync } from 'node:child_process';
import { accessSync, constants, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { engineModules, libraryDirectories, libraryLinks, loadedLibraries, programLoader, type Visible } from './host-paths.ts';
import { FILTER_FD, INFO_FD, type LayerName, type Layers, processOnly } from './layer.ts';
import { seccompFilter } from './seccomp.ts';

export interface LayerOptions {
  readonly searchPath: string;
  /** The operator's own, before any on the path. */
  readonly bwrap: string | undefined;
  /** Where to look when it is not on the path. */
  readonly fallbackBwrap?: string;
  readonly jitless: boolean;
  readonly imageDirectory: string;
  readonly arch: string;
  readonly isRoot: boolean;
}

/** Above what any registration may raise a step's resident limit to (768 MiB): the last resort when the supervisor is slow. */
const DATA_LIMIT = 896 * 1024 * 1024;
/** `nobody` */
const NO_USER = '65534';

/** What may be tried on this machine, strongest first; why something cannot even be tried goes into `tried`. */
export function* arrangements(options: LayerOptions, tried: string[]): Generator<Layers> {
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
