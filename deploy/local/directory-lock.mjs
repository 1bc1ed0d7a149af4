import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const WAIT_MS = 15 * 60_000;
const POLL_MS = 200;

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function holderOf(directory) {
  const text = await readFile(join(directory, 'pid'), 'utf8').catch(() => '');
  return Number.parseInt(text, 10);
}

/** Takes the lock when nobody living has it, and answers how to let go of it; else `undefined`, at once. */
export async function tryDirectoryLock(directory) {
  await mkdir(dirname(directory), { recursive: true });
  const holder = await holderOf(directory);
  if (!Number.isNaN(holder) && !alive(holder)) await setAside(directory);
  try {
    await mkdir(directory);
  } catch (error) {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  }
  await writeFile(join(directory, 'pid'), String(process.pid));
  return () => rm(directory, { recursive: true, force: true });
}

/** A rename, so that of two processes that find an abandoned lock only one removes it. */
async function setAside(directory) {
  const aside = `${directory}.stale-${process.pid}-${Date.now()}`;
  await rename(directory, aside).then(
    () => rm(aside, { recursive: true, force: true }),
    () => {},
  );
}

/**
 * Runs `work` while no other process runs under the same lock directory. `mkdir` is the atomic step; a lock whose holder is
 * gone is renamed away first, so that of two waiters only one takes it over.
 */
export async function withDirectoryLock(directory, work) {
  await mkdir(dirname(directory), { recursive: true });
  const until = Date.now() + WAIT_MS;
  let emptySince;
  while (true) {
    try {
      await mkdir(directory);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = await holderOf(directory);
    // A lock without a pid is either one being made right now or one whose maker died between two system calls.
    emptySince = Number.isNaN(holder) ? (emptySince ?? Date.now()) : undefined;
    const abandoned = Number.isNaN(holder) ? Date.now() - emptySince > 5_000 : !alive(holder);
    if (abandoned) {
      await setAside(directory);
      continue;
    }
    if (Date.now() > until) throw new Error(`Process ${holder} has held the lock ${directory} for more than ${WAIT_MS / 60_000} minutes.`);
    await delay(POLL_MS);
  }
  try {
    await writeFile(join(directory, 'pid'), String(process.pid));
    return await work();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
