import { assemble, type Instruction } from './bpf.ts';
import { examined, refused, type SeccompArch, unknown } from './syscalls.ts';

export interface SeccompOptions {
  readonly arch: SeccompArch;
  /**
   * No memory that is both written and executed, ever: V8 needs none without its compilers, and the first stage of most exploits does.
   * With JIT V8 would end at once.
   */
  readonly noExecutableMemory: boolean;
}

const AUDIT_ARCH = { x64: 0xc000003e, arm64: 0xc00000b7 } as const satisfies Record<SeccompArch, number>;
/** Numbers from here on are the x32 ABI: the same calls by other names. */
const X32 = 0x40000000;

const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const KILL_PROCESS = 0x80000000;
const EPERM = 1;
const ENOSYS = 38;

/** `struct seccomp_data`: number, architecture, instruction pointer, six arguments of eight bytes. */
const NUMBER = 0;
const ARCH = 4;
const argument = (index: number): number => 16 + 8 * index;

const CLONE_THREAD = 0x00010000;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_ANONYMOUS = 0x20;
const PR_SET_PDEATHSIG = 1;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
/** Under bubblewrap the sandbox process is the first of its process namespace, so this is itself. */
const OWN_PROCESS = 1;

const load = (offset: number): Instruction => ({ do: 'load', offset });
const jumpIf = (is: 'equal' | 'at-least' | 'any-bit-of', value: number, to: string): Instruction => ({ do: 'jump-if', is, value, to });
const label = (name: string): Instruction => ({ do: 'label', name });
const jump = (to: string): Instruction => ({ do: 'jump', to });

/** The filter of a sandbox process, as bytes. */
export function seccompFilter({ arch, noExecutableMemory }: SeccompOptions): Buffer {
  const column = arch === 'x64' ? 0 : 1;
  const numbers = (table: Readonly<Record<string, readonly [number, number | undefined]>>): number[] =>
    Object.values(table)
      .map((row) => row[column])
      .filter((number) => number !== undefined);
  const number = (name: keyof typeof examined): number => examined[name][column];
  const memory = ['mmap', 'mprotect', 'pkey_mprotect'] as const;
  return assemble([
    load(ARCH),
    jumpIf('equal', AUDIT_ARCH[arch], 'our-arch'),
    { do: 'return', value: KILL_PROCESS },
    label('our-arch'),
    load(NUMBER),
    ...(arch === 'x64' ? [jumpIf('at-least', X32, 'unknown')] : []),
    jumpIf('equal', number('clone'), 'clone'),
    jumpIf('equal', number('tgkill'), 'tgkill'),
    jumpIf('equal', number('prctl'), 'prctl'),
    jumpIf('equal', number('ioctl'), 'ioctl'),
    ...(noExecutableMemory ? memory.map((name) => jumpIf('equal', number(name), name === 'mmap' ? 'mmap' : 'mprotect')) : []),
    ...numbers(refused).map((value) => jumpIf('equal', value, 'refused')),
    ...numbers(unknown).map((value) => jumpIf('equal', value, 'unknown')),
    jump('allowed'),
    label('clone'),
    load(argument(0)),
    jumpIf('any-bit-of', CLONE_THREAD, 'allowed'),
    jump('refused'),
    label('tgkill'),
    load(argument(0)),
    jumpIf('equal', OWN_PROCESS, 'allowed'),
    jump('refused'),
    label('prctl'),
    load(argument(0)),
    jumpIf('equal', PR_SET_PDEATHSIG, 'refused'),
    jump('allowed'),
    label('ioctl'),
    load(argument(1)),
    jumpIf('equal', TIOCSTI, 'refused'),
    jumpIf('equal', TIOCLINUX, 'refused'),
    jump('allowed'),
    ...(noExecutableMemory ? executableMemory : []),
    label('allowed'),
    { do: 'return', value: ALLOW },
    label('unknown'),
    { do: 'return', value: ERRNO | ENOSYS },
    label('refused'),
    { do: 'return', value: ERRNO | EPERM },
  ]);
}

/** Code may be mapped from files that nobody can write (the libraries), and from nothing else. */
const executableMemory: readonly Instruction[] = [
  label('mmap'),
  load(argument(2)),
  jumpIf('any-bit-of', PROT_EXEC, 'mmap-executable'),
  jump('allowed'),
  label('mmap-executable'),
  jumpIf('any-bit-of', PROT_WRITE, 'refused'),
  load(argument(3)),
  jumpIf('any-bit-of', MAP_ANONYMOUS, 'refused'),
  jump('allowed'),
  label('mprotect'),
  load(argument(2)),
  jumpIf('any-bit-of', PROT_EXEC, 'refused'),
  jump('allowed'),
];
