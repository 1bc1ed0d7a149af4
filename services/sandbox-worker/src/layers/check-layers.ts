import { readFileSync, readlinkSync } from 'node:fs';
import type { LayerName } from './layer.ts';

/** What a sandbox process found out about itself before any code of others was in it. */
export interface FoundInside {
  /** Code of the error that a connection attempt met, or `open`. Not tried: `untried`. */
  readonly network: string;
  /** Places where a file could be made. */
  readonly writable: readonly string[];
  /** Names of its environment variables. */
  readonly environment: readonly string[];
  /** Descriptors that are files, directories or sockets beyond the four it was given. */
  readonly descriptors: readonly number[];
}

/** What the kernel says of it. */
export interface SeenOutside {
  readonly capEff: string;
  readonly noNewPrivs: string;
  readonly seccomp: string;
  /** Kinds of namespaces that it shares with this process. */
  readonly shared: readonly string[];
  readonly coreLimit: string;
  readonly fileSizeLimit: string;
}

const NO_NETWORK = ['EPERM', 'EACCES', 'ENETUNREACH', 'EAFNOSUPPORT'];
/** bubblewrap itself sets PWD, to `/`. */
const ENVIRONMENT = ['LC_ALL', 'TZ', 'PWD'];

/** The first promise of a layer that does not hold (I15). A layer that is not on promises nothing. */
export function brokenLayer(names: readonly LayerName[], inside: FoundInside, outside: SeenOutside): string | undefined {
  const on = (name: LayerName): boolean => names.includes(name);
  const strange = inside.environment.filter((name) => !ENVIRONMENT.includes(name));
  if (strange.length > 0) return `process: the environment holds ${strange.join(', ')}`;
  if (inside.descriptors.length > 0) return `process: the descriptors ${inside.descriptors.join(', ')} are open`;
  if (on('rlimits') && (outside.coreLimit !== '0' || outside.fileSizeLimit !== '0')) return 'rlimits: core and file size are not 0';
  if (on('bwrap') || on('unshare')) {
    if (!NO_NETWORK.includes(inside.network)) return `no network: a connection attempt met ${inside.network}`;
    if (outside.shared.includes('net')) return 'no network: the namespace is this process’ own';
  }
  if ((on('bwrap') || on('setpriv')) && outside.noNewPrivs !== '1') return `no new privileges: NoNewPrivs is ${outside.noNewPrivs}`;
  if ((on('bwrap') || on('setpriv')) && !/^0+$/.test(outside.capEff)) return `no capability: CapEff is ${outside.capEff}`;
  if (on('seccomp') && outside.seccomp !== '2') return `seccomp: the mode is ${outside.seccomp}`;
  if (on('bwrap')) {
    if (inside.writable.length > 0) return `bwrap: ${inside.writable.join(', ')} can be written`;
    const shared = ['mnt', 'pid', 'ipc', 'uts'].filter((kind) => outside.shared.includes(kind));
    if (shared.length > 0) return `bwrap: the namespaces ${shared.join(', ')} are this process’ own`;
  }
  return undefined;
}

const NAMESPACES = ['net', 'mnt', 'pid', 'ipc', 'uts', 'user'] as const;

export function lookFromOutside(pid: number): SeenOutside {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const limits = readFileSync(`/proc/${pid}/limits`, 'latin1');
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? 'unknown';
  const limit = (name: string): string => new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(limits)?.[1] ?? 'unknown';
  const namespace = (of: number | 'self', kind: string): string => {
    try {
      return readlinkSync(`/proc/${of}/ns/${kind}`);
    } catch {
      // Not ours to read: a process in another user namespace, which is what is asked.
      return `${of}`;
    }
  };
  return {
    capEff: field('CapEff'),
    noNewPrivs: field('NoNewPrivs'),
    seccomp: field('Seccomp'),
    shared: NAMESPACES.filter((kind) => namespace(pid, kind) === namespace('self', kind)),
    coreLimit: limit('Max core file size'),
    fileSizeLimit: limit('Max file size'),
  };
}
