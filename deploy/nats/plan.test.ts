import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const main = fileURLToPath(new URL('./main.ts', import.meta.url));

test('a plan becomes a configuration that a nats-server accepts, and the same one the second time', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'airlock-plan-'));
  try {
    const plan = join(directory, 'plan.json');
    await writeFile(
      plan,
      JSON.stringify({
        dispatchers: ['d1', 'd2'],
        pools: [
          { pool: 'default', workers: ['w1'] },
          { pool: 'elastic', sharedKeys: ['k1'] },
        ],
      }),
    );
    await run(process.execPath, [main, plan, join(directory, 'bus')]);
    const conf = join(directory, 'bus', 'nats-server.conf');
    const first = await readFile(conf, 'utf8');
    await run('nats-server', ['-t', '-c', conf]);
    const keys = ['d1.nk', 'd2.nk', 'egress.nk', 'pool.elastic.k1.nk', 'worker.default.w1.nk'];
    expect((await readdir(join(directory, 'bus', 'keys'))).toSorted()).toEqual(keys);
    for (const key of keys) expect(first).not.toContain((await readFile(join(directory, 'bus', 'keys', key), 'utf8')).trim());
    await run(process.execPath, [main, plan, join(directory, 'bus')]);
    expect(await readFile(conf, 'utf8')).toBe(first);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('a plan with a word that nobody knows, or a name that is no subject, is refused', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'airlock-plan-'));
  try {
    const plan = join(directory, 'plan.json');
    for (const wrong of [{ pools: [{ pool: 'a.b' }] }, { pools: [{ pool: 'p', worker: ['w'] }] }, { pools: [] }]) {
      await writeFile(plan, JSON.stringify(wrong));
      await expect(run(process.execPath, [main, plan, directory])).rejects.toMatchObject({ code: 1 });
    }
    expect(await readdir(directory)).toEqual(['plan.json']);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
