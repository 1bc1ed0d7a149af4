import { connect } from 'node:net';
import { connect as connectNats } from '@nats-io/transport-node';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { startHalfOpenProxy } from './half-open-proxy.ts';
import { startNats } from './nats.ts';
import { createDatabase, useDatabase } from './postgres.ts';

const database = useDatabase();

test('the database of a file is empty and its own', async () => {
  const sql = postgres(database.url, { max: 1 });
  const tables = await sql`select 1 from pg_tables where schemaname = 'public'`;
  const [row] = await sql<{ name: string }[]>`select current_database() as name`;
  await sql.end();
  expect(tables).toHaveLength(0);
  expect(row?.name).toBe(database.name);
});

test('clones of a template have its rows, and it is filled once', async () => {
  let filled = 0;
  const template = {
    name: 'support_test',
    fill: async (url: string) => {
      filled++;
      const sql = postgres(url, { max: 1 });
      await sql`create table seeds as select 7 as value`;
      await sql.end();
    },
  };
  await using first = await createDatabase({ template });
  await using second = await createDatabase({ template });
  for (const { url } of [first, second]) {
    const sql = postgres(url, { max: 1 });
    expect((await sql<{ value: number }[]>`select value from seeds`)[0]?.value).toBe(7);
    await sql.end();
  }
  expect(filled).toBe(1);
});

test('a nats-server that was killed comes back on the same port', async () => {
  await using nats = await startNats();
  const before = await connectNats({ servers: nats.url });
  await before.flush();
  await before.close();
  await nats.kill();
  await expect(connectNats({ servers: nats.url, reconnect: false })).rejects.toThrow();
  await nats.start();
  const after = await connectNats({ servers: nats.url });
  await after.flush();
  await after.close();
});

test('a stalled proxy passes nothing on, and everything when it resumes', async () => {
  await using nats = await startNats();
  await using proxy = await startHalfOpenProxy({ host: '127.0.0.1', port: nats.port });
  const received: string[] = [];
  const socket = connect({ port: proxy.port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => received.push(chunk.toString('latin1')));
  await expect.poll(() => received.join('')).toContain('INFO ');
  proxy.stall();
  socket.write('CONNECT {"verbose":false}\r\nPING\r\n');
  // The server answers another connection meanwhile, so the silence is the proxy's.
  const direct = await connectNats({ servers: nats.url });
  await direct.flush();
  await direct.close();
  expect(received.join('')).not.toContain('PONG');
  proxy.resume();
  await expect.poll(() => received.join('')).toContain('PONG');
  proxy.cut();
  await expect.poll(() => socket.destroyed).toBe(true);
});
