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

function memoryOf(pid: number): { readonly resident: number; readonly shared: number } {
  const [, resident = 0, shared = 0] = textOf(`/proc/${pid}/statm`).split(' ').map(Number);
  return { resident: resident * PAGE_BYTES, shared: shared * PAGE_BYTES };
}

/** Gone, or a zombie that only waits to be reaped. */
export function isGone(pid: number): boolean {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat === '' || stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

export interface TreePeak {
  /** Of one process. */
  readonly largest: number;
  /** Private memory of all of them together (`Pss` would share out what they share, but costs a walk over every page). */
  readonly sum: number;
}

/** What the tree below `root` reached while watched. */
export function watchPeak(root: number, everyMs: number): () => TreePeak {
  let largest = 0;
  let sum = 0;
  const timer = setInterval(() => {
    let together = 0;
    for (const pid of descendantsOf(root)) {
      const { resident, shared } = memoryOf(pid);
      largest = Math.max(largest, resident);
      together += resident - shared;
    }
    sum = Math.max(sum, together);
  }, everyMs);
  return () => {
    clearInterval(timer);
    return { largest, sum };
  };
}
