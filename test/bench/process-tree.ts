import { readdir, readFile } from 'node:fs/promises';

const PAGE_BYTES = 4_096;
const PPID = 1;

/** Resident memory of a process and everything below it, from /proc. Pages that they share count once for each. */
export async function residentBytesOfTree(root: number): Promise<number> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await read(name, 'stat');
    // The name in parentheses may hold spaces: count from behind it.
    if (stat !== undefined) parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[PPID]));
  }
  const isInside = (pid: number, steps = 0): boolean => pid === root || (steps < 64 && pid > 1 && isInside(parents.get(pid) ?? 0, steps + 1));
  let bytes = 0;
  for (const pid of parents.keys()) {
    if (isInside(pid)) bytes += Number((await read(String(pid), 'statm'))?.split(' ')[1] ?? 0) * PAGE_BYTES;
  }
  return bytes;
}

/** `undefined`: the process ended meanwhile. */
async function read(pid: string, file: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
