/** Where the nats-server comes from. No npm package ships it, so it is looked for, and installed below `.airlock` if need be. */
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const RELEASE = 'v2.11.10';
const RELEASE_URL = `https://github.com/nats-io/nats-server/releases/download/${RELEASE}`;
const ASSET_ARCH: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
const runs = (command: string) => spawnSync(command, ['--version'], { stdio: 'ignore', timeout: 10_000 }).status === 0;

/** Into its place in one step, so that another command never sees half a file. */
async function putInPlace(from: string, to: string): Promise<void> {
  const aside = `${to}.${process.pid}`;
  await copyFile(from, aside);
  await chmod(aside, 0o755);
  await rename(aside, to);
}

/** Debian's package, unpacked without installing it: works for any user. */
async function fromDebian(directory: string, target: string): Promise<void> {
  const work = await mkdtemp(join(directory, 'nats-'));
  try {
    const download = async (options: readonly string[]) => run('apt-get', [...options, 'download', 'nats-server'], { cwd: work, timeout: 120_000 });
    try {
      await download([]);
    } catch {
      // The machine has no package lists, or they are old. Lists of our own need no root.
      const state = join(work, 'apt');
      await mkdir(join(state, 'lists', 'partial'), { recursive: true });
      await mkdir(join(state, 'cache', 'archives', 'partial'), { recursive: true });
      const own = [
        '-o',
        `Dir::State::lists=${state}/lists`,
        '-o',
        `Dir::Cache=${state}/cache`,
        '-o',
        'APT::Sandbox::User=',
        '-o',
        'Acquire::Languages=none',
      ];
      await run('apt-get', [...own, 'update'], { cwd: work, timeout: 180_000, maxBuffer: 16 * 1024 * 1024 });
      await download(own);
    }
    const [archive] = (await readdir(work)).filter((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get downloaded no package');
    await run('dpkg-deb', ['-x', join(work, archive), join(work, 'tree')]);
    await putInPlace(join(work, 'tree', 'usr', 'sbin', 'nats-server'), target).catch(() =>
      putInPlace(join(work, 'tree', 'usr', 'bin', 'nats-server'), target),
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function fetchBytes(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(120_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

/** The project's own release, checked against the checksums that it publishes. */
async function fromRelease(directory: string, target: string): Promise<void> {
  const arch = ASSET_ARCH[process.arch];
  if (arch === undefined || !['linux', 'darwin'].includes(process.platform))
    throw new Error(`there is no release for ${process.platform}-${process.arch}`);
  const name = `nats-server-${RELEASE}-${process.platform}-${arch}`;
  const sums = (await fetchBytes(`${RELEASE_URL}/SHA256SUMS`)).toString('utf8');
  const expected = sums
    .split('\n')
    .find((line) => line.endsWith(`${name}.tar.gz`))
    ?.slice(0, 64);
  const archive = await fetchBytes(`${RELEASE_URL}/${name}.tar.gz`);
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== expected) throw new Error(`${name}.tar.gz has the SHA-256 ${actual}, the release says ${expected ?? 'nothing'}`);
  const work = await mkdtemp(join(directory, 'nats-'));
  try {
    await writeFile(join(work, 'release.tar.gz'), archive);
    await run('tar', ['-xzf', 'release.tar.gz'], { cwd: work });
    await putInPlace(join(work, name, 'nats-server'), target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** A nats-server that runs on this machine: on PATH, installed earlier, Debian's, or the project's release. */
export async function findNatsServer(toolchainDirectory: string, say: (text: string) => void = () => undefined): Promise<string> {
  if (runs('nats-server')) return 'nats-server';
  const directory = join(toolchainDirectory, 'nats');
  const target = join(directory, 'nats-server');
  if ((await exists(target)) && runs(target)) return target;
  await mkdir(directory, { recursive: true });
  say('installing nats-server into .airlock/toolchain');
  const problems: string[] = [];
  for (const [source, install] of [
    ["Debian's package", fromDebian],
    [`release ${RELEASE}`, fromRelease],
  ] as const) {
    try {
      await install(directory, target);
      if (runs(target)) return target;
      problems.push(`${source}: the program does not run here`);
    } catch (error) {
      problems.push(`${source}: ${String(error).split('\n')[0] ?? ''}`);
    }
  }
  throw new Error(
    `There is no nats-server. Install version 2.9 or newer so that "nats-server" is on PATH (Debian and Ubuntu: apt-get install nats-server; macOS: brew install nats-server), or set NATS_URL to a running one.\nTried:\n- ${problems.join('\n- ')}`,
  );
}
