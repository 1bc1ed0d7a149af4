import { expect, test } from 'vitest';
import { seccompFilter } from './seccomp.ts';
import { examined, refused, type SeccompArch, unknown } from './syscalls.ts';

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
const auditArch = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;

/** Runs a filter as the kernel does, over the system call's `struct seccomp_data`. */
function verdict(filter: Buffer, arch: number, number: number, args: readonly number[] = []): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number, 0);
  data.writeUInt32LE(arch, 4);
  for (const [index, value] of args.entries()) data.writeBigUInt64LE(BigInt(value), 16 + 8 * index);
  let value = 0;
  for (let at = 0; at < filter.length / 8; at += 1) {
    const [code, yes, no, k] = [
      filter.readUInt16LE(at * 8),
      filter.readUInt8(at * 8 + 2),
      filter.readUInt8(at * 8 + 3),
      filter.readUInt32LE(at * 8 + 4),
    ];
    if (code === 0x20) value = data.readUInt32LE(k);
    else if (code === 0x06) return k;
    else if (code === 0x05) at += k;
    else {
      const isTrue = code === 0x15 ? value === k : code === 0x35 ? value >= k : (value & k) !== 0;
      at += isTrue ? yes : no;
    }
  }
  throw new Error('the filter ended without a verdict');
}

const arches: readonly SeccompArch[] = ['x64', 'arm64'];

test.for(arches)('on %s every listed call is refused, in both modes', (arch) => {
  const column = arch === 'x64' ? 0 : 1;
  for (const noExecutableMemory of [false, true]) {
    const filter = seccompFilter({ arch, noExecutableMemory });
    for (const [name, numbers] of Object.entries(refused) as [string, readonly [number, number | undefined]][]) {
      const number = numbers[column];
      if (number !== undefined) expect([name, verdict(filter, auditArch[arch], number)]).toEqual([name, EPERM]);
    }
    for (const numbers of Object.values(unknown)) expect(verdict(filter, auditArch[arch], numbers[column])).toBe(ENOSYS);
  }
});

test.for(arches)('on %s no number is listed twice', (arch) => {
  const column = arch === 'x64' ? 0 : 1;
  const all = [refused, unknown, examined].flatMap((table) =>
    Object.values(table as Record<string, readonly [number, number | undefined]>).map((row) => row[column]),
  );
  const numbers = all.filter((number) => number !== undefined);
  expect(new Set(numbers).size).toBe(numbers.length);
});

test.for([
  ['read', 0],
  ['write', 1],
  ['close', 3],
  ['munmap', 11],
  ['futex', 202],
  ['getsockopt', 55],
  ['getsockname', 51],
  ['execve', 59],
  ['exit_group', 231],
  ['epoll_wait', 232],
] as const)('%s passes', ([, number]) => {
  expect(verdict(seccompFilter({ arch: 'x64', noExecutableMemory: true }), auditArch.x64, number)).toBe(ALLOW);
});

test('threads may be started, processes may not', () => {
  const filter = seccompFilter({ arch: 'x64', noExecutableMemory: false });
  expect(verdict(filter, auditArch.x64, examined.clone[0], [0x3d0f00])).toBe(ALLOW);
  expect(verdict(filter, auditArch.x64, examined.clone[0], [0x1200011])).toBe(EPERM);
});

test('a signal may be sent to the own process only', () => {
  const filter = seccompFilter({ arch: 'arm64', noExecutableMemory: false });
  expect(verdict(filter, auditArch.arm64, examined.tgkill[1], [1, 7, 6])).toBe(ALLOW);
  expect(verdict(filter, auditArch.arm64, examined.tgkill[1], [2, 2, 6])).toBe(EPERM);
});

test('the death of the parent cannot be survived by asking', () => {
  const filter = seccompFilter({ arch: 'x64', noExecutableMemory: false });
  expect(verdict(filter, auditArch.x64, examined.prctl[0], [1, 0])).toBe(EPERM);
  expect(verdict(filter, auditArch.x64, examined.prctl[0], [15, 0])).toBe(ALLOW);
});

test('without JIT memory is never written and executed', () => {
  const filter = seccompFilter({ arch: 'x64', noExecutableMemory: true });
  const call = (name: 'mmap' | 'mprotect', ...args: number[]) => verdict(filter, auditArch.x64, examined[name][0], args);
  const [read, write, execute, isPrivate, anonymous] = [1, 2, 4, 2, 0x20];
  expect(call('mmap', 0, 4096, read | write, isPrivate | anonymous)).toBe(ALLOW);
  expect(call('mmap', 0, 4096, read | execute, isPrivate)).toBe(ALLOW);
  expect(call('mmap', 0, 4096, read | execute, isPrivate | anonymous)).toBe(EPERM);
  expect(call('mmap', 0, 4096, read | write | execute, isPrivate)).toBe(EPERM);
  expect(call('mprotect', 0, 4096, read | write)).toBe(ALLOW);
  expect(call('mprotect', 0, 4096, read | execute)).toBe(EPERM);
});

test('with JIT executable memory is V8’s own business', () => {
  const filter = seccompFilter({ arch: 'x64', noExecutableMemory: false });
  expect(verdict(filter, auditArch.x64, examined.mprotect[0], [0, 4096, 5])).toBe(ALLOW);
});

test('the calls of another architecture end the process, and the x32 names of the same calls do not exist', () => {
  const filter = seccompFilter({ arch: 'x64', noExecutableMemory: false });
  expect(verdict(filter, 0x40000003, 1)).toBe(KILL);
  expect(verdict(filter, auditArch.x64, 0x40000000 + refused.socket[0])).toBe(ENOSYS);
});
