import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Duplex } from 'node:stream';
import { afterAll, expect, test } from 'vitest';
import { buildChildImage } from '../supervisor/child-image.ts';
import { startWorkerProcess } from '../test-support/worker-process.ts';
import { findBwrap, TOOLCHAIN_BWRAP, TOOLCHAIN_DIRECTORY } from './bwrap-binary.ts';
import { brokenLayer, type FoundInside, lookFromOutside, type SeenOutside } from './check-layers.ts';
import { INFO_FD, type LayerName, type Layers, nodeFlags } from './layer.ts';
import { detectLayers } from './layers.ts';
import { missingLayers } from './require-layers.ts';

const image = buildChildImage();
afterAll(() => image[Symbol.dispose]());

await findBwrap(TOOLCHAIN_DIRECTORY);
const detect = (jitless: boolean, fallbackBwrap: string | undefined = TOOLCHAIN_BWRAP) =>
  detectLayers({
    searchPath: process.env['PATH'] ?? '',
    bwrap: undefined,
    ...(fallbackBwrap === '' ? {} : { fallbackBwrap }),
    jitless,
    imageDirectory: image.directory,
    arch: process.arch,
    isRoot: process.getuid?.() === 0,
  });
const best = detect(true);
const hasBwrap = best.layers.names.includes('bwrap');

/** Runs a script inside the layers; what it writes to descriptor 3 is the answer. */
async function inside(layers: Layers, script: string, look: (pid: number) => void = () => {}): Promise<string> {
  const { file, args } = layers.wrapCommand({ file: process.execPath, args: [...nodeFlags(true), '-e', script] });
  const filter = layers.filterFile === undefined ? undefined : openSync(layers.filterFile, 'r');
  const child: ChildProcess = spawn(file, args, {
    cwd: '/',
    env: { TZ: 'UTC', LC_ALL: 'C.UTF-8' },
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', ...(layers.pidComesLater ? ['pipe' as const] : []), ...(filter === undefined ? [] : [filter])],
  });
  if (filter !== undefined) closeSync(filter);
  let pid = child.pid ?? 0;
  if (layers.pidComesLater) {
    const [info] = (await once(child.stdio[INFO_FD] as Duplex, 'data')) as [Buffer];
    pid = Number(/"child-pid": (\d+)/.exec(info.toString())?.[1]);
  }
  const errors: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const [answer] = (await Promise.race([once(child.stdio[3] as Duplex, 'data'), once(child, 'exit')])) as [unknown];
  if (!Buffer.isBuffer(answer)) throw new Error(`the script ended: ${errors.join('')}`);
  look(pid);
  child.kill('SIGKILL');
  await once(child, 'close');
  return answer.toString();
}
const say = (expression: string): string => `require('fs').writeSync(3, String(${expression})); setInterval(() => {}, 1000);`;
const trying = (statement: string): string => `(() => { try { ${statement}; return 'done'; } catch (error) { return error.code; } })()`;

test.runIf(hasBwrap)('inside bubblewrap there is no file of the machine but Node, its libraries and the program', async () => {
  const seen = await inside(best.layers, say(`require('fs').readdirSync('/').sort().join()`));
  const [first] = tmpdir().split('/').filter(Boolean);
  const mayBe = new Set([
    'lib',
    'lib64',
    'node',
    'usr',
    first,
    ...process.execPath.split('/').slice(1, 2),
    ...image.directory.split('/').slice(1, 2),
    ...import.meta.dirname.split('/').slice(1, 2),
  ]);
  expect(seen.split(',').filter((name) => !mayBe.has(name))).toEqual([]);
  expect(await inside(best.layers, say(trying(`require('fs').readFileSync('/etc/passwd')`)))).toBe('ENOENT');
  expect(await inside(best.layers, say(trying(`require('fs').readFileSync('/proc/self/environ')`)))).toBe('ENOENT');
});

test.runIf(hasBwrap)('inside bubblewrap nothing can be written', async () => {
  for (const directory of ['/', image.directory, '/usr', '/lib']) {
    const code = await inside(best.layers, say(trying(`require('fs').writeFileSync(${JSON.stringify(`${directory}/x`)}, 'x')`)));
    expect(['EROFS', 'ENOENT', 'EACCES', 'EPERM']).toContain(code);
  }
});

test.runIf(hasBwrap)('inside the filter no process can be started and no signal sent', async () => {
  const spawned = await inside(best.layers, say(`require('child_process').spawnSync('/node', ['-v']).error.code`));
  expect(['EPERM', 'EAGAIN', 'ENOSYS']).toContain(spawned);
  expect(await inside(best.layers, say(trying(`process.kill(process.pid, 'SIGTERM')`)))).toBe('EPERM');
});

test.runIf(hasBwrap)('inside the layers a connection does not even begin', async () => {
  const script = `require('net').connect({ host: '127.0.0.1', port: 9 }).on('error', (e) => require('fs').writeSync(3, e.code)); setInterval(() => {}, 1000);`;
  expect(await inside(best.layers, script)).toBe('EPERM');
});

test.runIf(hasBwrap)('the kernel confirms what bubblewrap promises', async () => {
  let outside: SeenOutside | undefined;
  await inside(best.layers, say('1'), (pid) => {
    outside = lookFromOutside(pid);
  });
  expect(outside).toMatchObject({ capEff: '0000000000000000', noNewPrivs: '1', seccomp: '2', coreLimit: '0', fileSizeLimit: '0' });
  expect(outside?.shared).toEqual([]);
});

test('without bubblewrap the next best is taken, and why is said', () => {
  const { layers, tried } = detectLayers({
    searchPath: process.env['PATH'] ?? '',
    bwrap: '/nowhere/bwrap',
    jitless: false,
    imageDirectory: image.directory,
    arch: process.arch,
    isRoot: process.getuid?.() === 0,
  });
  expect(layers.names).not.toContain('bwrap');
  expect(layers.names.at(-1)).toBe('process');
  expect(tried.join()).toContain('bwrap');
});

test('a machine without any tool still has the process, and says so', () => {
  const { layers } = detectLayers({
    searchPath: '',
    bwrap: undefined,
    jitless: false,
    imageDirectory: image.directory,
    arch: 'riscv64',
    isRoot: false,
  });
  expect(layers.names).toEqual(['process']);
});

const goodInside: FoundInside = { network: 'EPERM', writable: [], environment: ['TZ', 'LC_ALL', 'PWD'], descriptors: [] };
const goodOutside: SeenOutside = { capEff: '0000000000000000', noNewPrivs: '1', seccomp: '2', shared: [], coreLimit: '0', fileSizeLimit: '0' };
const full: readonly LayerName[] = ['bwrap', 'seccomp', 'rlimits', 'process'];

test('layers that hold are not broken', () => {
  expect(brokenLayer(full, goodInside, goodOutside)).toBeUndefined();
});

test.for([
  ['an environment', { environment: ['NATS_URL'] }, {}, 'NATS_URL'],
  ['an open descriptor', { descriptors: [7] }, {}, '7'],
  ['a network', { network: 'open' }, {}, 'network'],
  ['a refused connection, which is a network all the same', { network: 'ECONNREFUSED' }, {}, 'network'],
  ['a writable place', { writable: ['/tmp'] }, {}, '/tmp'],
  ['a capability', {}, { capEff: '0000000000000400' }, 'CapEff'],
  ['new privileges', {}, { noNewPrivs: '0' }, 'NoNewPrivs'],
  ['no filter', {}, { seccomp: '0' }, 'seccomp'],
  ['a shared network namespace', {}, { shared: ['net'] }, 'network'],
  ['a shared mount namespace', {}, { shared: ['mnt'] }, 'mnt'],
  ['core files', {}, { coreLimit: 'unlimited' }, 'rlimits'],
] as const)('a child with %s breaks the promise', ([, inner, outer, named]) => {
  expect(brokenLayer(full, { ...goodInside, ...inner }, { ...goodOutside, ...outer })).toContain(named);
});

test('a layer that is off promises nothing, but the environment and the descriptors are always checked', () => {
  const open = { network: 'untried', writable: ['/tmp'], environment: [], descriptors: [] };
  const bare = { capEff: '1', noNewPrivs: '0', seccomp: '0', shared: ['net'], coreLimit: 'unlimited', fileSizeLimit: 'unlimited' };
  expect(brokenLayer(['process'], open, bare)).toBeUndefined();
  expect(brokenLayer(['process'], { ...open, environment: ['SECRET'] }, bare)).toContain('SECRET');
});

test('a shared pool needs the layers, and the operator can do without by name', () => {
  const policy = { shared: true, required: [], allowWithout: [] };
  expect(missingLayers(['bwrap', 'seccomp', 'no-exec-memory', 'rlimits', 'process'], policy)).toBeUndefined();
  expect(missingLayers(['rlimits', 'process'], policy)).toContain('AIRLOCK_ALLOW_WITHOUT=bwrap,seccomp,no-exec-memory');
  expect(missingLayers(['rlimits', 'process'], { ...policy, allowWithout: ['bwrap', 'seccomp', 'no-exec-memory'] })).toBeUndefined();
  expect(missingLayers(['process'], { shared: false, required: [], allowWithout: [] })).toBeUndefined();
  expect(missingLayers(['process'], { shared: false, required: ['seccomp'], allowWithout: [] })).toContain('seccomp');
});

test('what was inherited without being meant for it is closed, so that no sandbox process has it', async () => {
  const script = `import { closeInheritedDescriptors } from ${JSON.stringify(new URL('close-inherited.ts', import.meta.url).href)};
    import { fstatSync } from 'node:fs';
    closeInheritedDescriptors();
    try { fstatSync(200); console.log('open'); } catch { console.log('closed'); }`;
  // Node itself marks what it inherits with low numbers; a shell's are high.
  const command = ['-c', 'exec 200</dev/null; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', script];
  const child = spawn('bash', command, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [chunk] = (await once(child.stdout as Duplex, 'data')) as [Buffer];
  expect(chunk.toString().trim()).toBe('closed');
});

test('a worker of a shared pool without the layers does not start, and says how it would', { timeout: 20_000 }, async () => {
  await using worker = startWorkerProcess({ AIRLOCK_SHARED_POOL: '1', AIRLOCK_BWRAP: '/nowhere/bwrap', NATS_URL: 'nats://127.0.0.1:9' });
  expect(await worker.exited).toBe(1);
  expect(worker.log()).toContain('AIRLOCK_ALLOW_WITHOUT=bwrap');
});
