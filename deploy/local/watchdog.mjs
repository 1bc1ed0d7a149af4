/**
 * Ends what its parent started when the parent is gone, however it went: the parent holds the other end of this process's
 * standard input, and the kernel closes it. Lines are `+<pid> <signal>` and `-<pid>`.
 */
import { createInterface } from 'node:readline';

const guarded = new Map();
const lines = createInterface({ input: process.stdin });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

const send = (pid, signal) => {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
};

lines.on('line', (line) => {
  const [, sign, pid, signal] = /^([+-])(\d+)(?: (SIG[A-Z]+))?$/.exec(line) ?? [];
  if (sign === '+') guarded.set(Number(pid), signal ?? 'SIGTERM');
  if (sign === '-') guarded.delete(Number(pid));
});

lines.on('close', () => {
  // The last started is the first to go: services before the servers that they use.
  const left = [...guarded].reverse().filter(([pid, signal]) => send(pid, signal));
  if (left.length === 0) process.exit(0);
  const until = Date.now() + 8_000;
  const look = setInterval(() => {
    const alive = left.filter(([pid]) => send(pid, 0));
    if (alive.length > 0 && Date.now() < until) return;
    for (const [pid] of alive) send(pid, 'SIGKILL');
    clearInterval(look);
    process.exit(0);
  }, 100);
});
