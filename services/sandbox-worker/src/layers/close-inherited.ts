import { closeSync, readdirSync, readFileSync } from 'node:fs';

const STANDARD = 3;
const CLOEXEC = 0o2000000;

/**
 * Whoever started this worker may have left it descriptors (a shell's history file, a lock, a log), and every sandbox process would have them too:
 * Node marks its own to be closed when another program is started, so what is not marked came from outside.
 */
export function closeInheritedDescriptors(): void {
  let open: readonly string[];
  try {
    open = readdirSync('/proc/self/fd');
  } catch {
    return;
  }
  for (const fd of open.map(Number).filter((number) => number >= STANDARD)) {
    try {
      const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '';
      if (flags !== '' && (Number.parseInt(flags, 8) & CLOEXEC) === 0) closeSync(fd);
    } catch {
      // Closed meanwhile: it was the listing's own.
    }
  }
}
