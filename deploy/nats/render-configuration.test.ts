import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyInFile } from './keys.ts';
import { type NatsConfiguration, renderNatsConfiguration } from './render-configuration.ts';

async function scratch(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'airlock-bus-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const key = (letter: string) => `U${letter.repeat(55)}`;
const base = { host: '127.0.0.1', port: 4222, serverName: 'bus', dispatcherKeys: [key('A')] };
const configuration: NatsConfiguration = {
  ...base,
  pools: [
    { pool: 'named', workers: [{ workerId: 'w1', key: key('B') }] },
    { pool: 'elastic', workers: [], sharedKeys: [key('C')] },
  ],
};

/** The server's own word on the file. */
function problemsOf(directory: string): string {
  const { status, stderr } = spawnSync('nats-server', ['-t', '-c', join(directory, 'bus.conf')], { encoding: 'utf8', timeout: 20_000 });
  return status === 0 ? '' : stderr;
}

test('a nats-server accepts the configuration', async () => {
  await using directory = await scratch();
  const real = await keyInFile(join(directory.path, 'dispatcher.nk'));
  const worker = await keyInFile(join(directory.path, 'worker.nk'));
  const pools = [{ pool: 'default', workers: [{ workerId: 'w-1', key: worker.publicKey }] }];
  const text = renderNatsConfiguration({ ...base, serverName: 'a "quoted" name', dispatcherKeys: [real.publicKey], pools });
  await writeFile(join(directory.path, 'bus.conf'), text);
  expect(problemsOf(directory.path)).toBe('');
});

test('the key of a named worker names no subject of another worker or pool, and no wildcard but that of the dispatcher', () => {
  const line = renderNatsConfiguration(configuration)
    .split('\n')
    .find((text) => text.includes(key('B')));
  const subjects = [...(line ?? '').matchAll(/"([^"]+)"/g)].map(([, subject]) => subject ?? '');
  expect(subjects).toEqual([
    'airlock.v1.hello.named.w1',
    'airlock.v1.result.named.w1.*',
    'airlock.v1.call.named.w1.*',
    'airlock.v1.bundle.named.w1.*',
    'airlock.v1.fetch.named.w1.*',
    'airlock.v1.assign.named.w1',
    'airlock.v1.cancel.named.w1',
    'airlock.v1.answer.named.w1',
  ]);
});

test('nobody comes in without a key, JetStream is off, and the system account has no users', () => {
  const text = renderNatsConfiguration(configuration);
  expect(text).not.toMatch(/no_auth_user|password|jetstream/i);
  expect(text).toMatch(/"SYS": \{\s*users: \[\s*\]/);
  expect(text).toContain('system_account: SYS');
});

test('names that are no subject tokens never reach the configuration', () => {
  fc.assert(
    fc.property(
      fc.string().filter((name) => !/^[A-Za-z0-9_-]{1,64}$/.test(name)),
      (name) => {
        expect(() => renderNatsConfiguration({ ...base, pools: [{ pool: name, workers: [] }] })).toThrow('not a subject token');
        const workers = [{ workerId: name, key: key('B') }];
        expect(() => renderNatsConfiguration({ ...base, pools: [{ pool: 'p', workers }] })).toThrow('not a subject token');
      },
    ),
  );
});

test('a seed in the place of a public key is refused, and is not repeated whole', () => {
  const seed = `SU${'A'.repeat(56)}`;
  const render = () => renderNatsConfiguration({ ...base, pools: [{ pool: 'p', workers: [{ workerId: 'w', key: seed }] }] });
  expect(render).toThrow('not the public key of a user');
  expect(render).not.toThrow(seed);
});

test('one key never speaks for two', () => {
  const workers = [
    { workerId: 'w1', key: key('B') },
    { workerId: 'w2', key: key('B') },
  ];
  expect(() => renderNatsConfiguration({ ...base, pools: [{ pool: 'p', workers }] })).toThrow('given twice');
});

test('a seed is written once, for its owner only, and read again', async () => {
  await using directory = await scratch();
  const path = join(directory.path, 'keys', 'worker.nk');
  const made = await keyInFile(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readFile(path, 'utf8')).toMatch(/^SU[A-Z2-7]{56}\n$/);
  expect((await keyInFile(path)).publicKey).toBe(made.publicKey);
});
