import { readdirSync, readFileSync } from 'node:fs';

const PAGE_BYTES = 4_096;

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
};

/** Processes that descend from `root`, without it. */
export function descendantsOf(root: number): readonly number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = textOf(`/proc/${name}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    const list = childrenOf.get(parent) ?? [];
    list.push(Number(name));
    childrenOf.set(parent, list);
  }
  const found: number[] = [];
  const open = [root];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const child of childrenOf.get(next) ?? []) {
      found.push(child);
      open.push(child);
    }
  }
  return found;
}

export const residentBytes = (pid: number): number => Number(textOf(`/proc/${pid}/statm`).split(' ')[1] ?? 0) * PAGE_BYTES;

/** Gone, or a zombie that only waits to be reaped. */
export function isGone(pid: number): boolean {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat === '' || stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

/** Largest resident memory that one process of the tree reached while watched. */
export function watchPeak(root: number, everyMs: number): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    for (const pid of descendantsOf(root)) peak = Math.max(peak, residentBytes(pid));
  }, everyMs);
  return () => {
    clearInterval(timer);
    return peak;
  };
}
