import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { isFree, preferPort } from './ports.ts';
import { ensureDatabase, startPostgres } from './postgres.ts';

async function scratch(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'airlock-servers-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test('a committed row outlives a Postgres that was killed, at the same address', async () => {
  await using directory = await scratch();
  const options = { directory: join(directory.path, 'postgres'), durability: 'durable', maxConnections: 20 } as const;
  const first = await startPostgres(options);
  const url = await ensureDatabase(first, 'kept');
  const before = postgres(url, { max: 1, onnotice: () => undefined });
  await before`create table note as select 'still here' as text`;
  await before.end();
  first.process.kill('SIGKILL');
  await first.process.exited;

  await using second = await startPostgres(options);
  expect(await ensureDatabase(second, 'kept')).toBe(url);
  const after = postgres(url, { max: 1 });
  const rows = await after<{ text: string }[]>`select text from note`;
  await after.end();
  expect(rows.map(({ text }) => text)).toEqual(['still here']);
});

test('nobody reaches the database without its password', async () => {
  await using directory = await scratch();
  await using server = await startPostgres({ directory: directory.path, durability: 'throw-away', maxConnections: 20 });
  const url = new URL(server.url);
  url.password = 'guess';
  const sql = postgres(url.href, { max: 1 });
  await expect(sql`select 1`).rejects.toMatchObject({ code: '28P01' });
  await sql.end();
});

test('a preferred port that is taken is left to its holder', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const address = holder.address();
  const taken = typeof address === 'object' && address !== null ? address.port : 0;
  expect(await isFree(taken)).toBe(false);
  expect(await preferPort(taken)).not.toBe(taken);
  await new Promise((resolve) => holder.close(resolve));
});
