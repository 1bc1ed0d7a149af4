/** Where bubblewrap comes from on a developer's machine: no npm package ships it. Deployments install it in their image. */
import { execFile, spawnSync } from 'node:child_process';
import { access, chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PLACE = path.join('bubblewrap', 'bwrap');

/** Of a clone: where a worker started from it looks when there is none on the path. */
export const TOOLCHAIN_DIRECTORY = fileURLToPath(new URL('../../../../.airlock/toolchain', import.meta.url));
export const TOOLCHAIN_BWRAP = path.join(TOOLCHAIN_DIRECTORY, PLACE);

const runs = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore', timeout: 10_000 }).status === 0;

/**
 * A bubblewrap that runs on this machine: on the path, unpacked earlier, or Debian's package unpacked without installing it (any user can).
 * `undefined` where there is none to be had: workers then say so and use the next best layers.
 */
export async function findBwrap(toolchainDirectory: string, say: (text: string) => void = () => undefined): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  if (runs('bwrap')) return 'bwrap';
  const target = path.join(toolchainDirectory, PLACE);
  if (runs(target)) return target;
  say('unpacking bubblewrap into .airlock/toolchain');
  try {
    await unpackDebianPackage(path.dirname(target), target);
    if (runs(target)) return target;
    say('bubblewrap does not run here; sandbox processes go without it');
  } catch (error) {
    say(`bubblewrap is not to be had (${String(error).split('\n')[0]}); sandbox processes go without it`);
  }
  return undefined;
}

async function unpackDebianPackage(directory: string, target: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const work = await mkdtemp(path.join(directory, 'unpack-'));
  try {
    const download = (options: readonly string[]) => run('apt-get', [...options, 'download', 'bubblewrap'], { cwd: work, timeout: 60_000 });
    await download([]).catch(async () => {
      // The machine has no package lists, or they are old. Lists of our own need no root.
      const state = path.join(work, 'apt');
      await mkdir(path.join(state, 'lists', 'partial'), { recursive: true });
      await mkdir(path.join(state, 'cache', 'archives', 'partial'), { recursive: true });
      const own = [`Dir::State::lists=${state}/lists`, `Dir::Cache=${state}/cache`, 'APT::Sandbox::User=', 'Acquire::Languages=none'].flatMap(
        (setting) => ['-o', setting],
      );
      await run('apt-get', [...own, 'update'], { cwd: work, timeout: 120_000, maxBuffer: 16 * 1024 * 1024 });
      await download(own);
    });
    const archive = (await readdir(work)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get downloaded no package');
    await run('dpkg-deb', ['-x', archive, 'tree'], { cwd: work });
    // Into its place in one step, so that nobody sees half a file.
    const aside = `${target}.${process.pid}`;
    await copyFile(path.join(work, 'tree/usr/bin/bwrap'), aside);
    await chmod(aside, 0o755);
    await rename(aside, target);
    await access(target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
