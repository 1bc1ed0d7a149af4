import { fileURLToPath } from 'node:url';
import { startProcess } from '@airlock/local/process';
import { connect } from '@nats-io/transport-node';
import postgres from 'postgres';
import type { BenchServers, Floors } from './case.ts';
import { type Measured, measure } from './measure.ts';

const PAYLOAD = new TextEncoder().encode(JSON.stringify({ text: 'x'.repeat(2_000) }));

/** NATS alone: what a message there and back costs at least. */
async function natsRoundTrip(natsUrl: string): Promise<Measured> {
  const peer = startProcess({
    name: 'nats-peer',
    command: process.execPath,
    args: [fileURLToPath(new URL('./nats-peer.ts', import.meta.url)), natsUrl],
    env: { PATH: process.env['PATH'] },
  });
  await peer.waitForLine((line) => (line === 'ready' ? true : undefined), { withinMs: 20_000, what: 'ready' });
  const connection = await connect({ servers: natsUrl });
  try {
    return await measure('NATS request and reply, 2 KB, two processes', { warmUps: 500, runs: 3_000 }, () =>
      connection.request('bench.echo', PAYLOAD),
    );
  } finally {
    await connection.close();
    await peer.stop();
  }
}

/** Postgres alone: what a durable transaction with one insert costs at least. */
async function postgresTransaction(databaseUrl: string): Promise<Measured> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  try {
    await sql`create table if not exists bench_floor (id bigint generated always as identity primary key, name text, amount numeric, at timestamptz)`;
    return await measure('Postgres BEGIN, INSERT, COMMIT', { warmUps: 200, runs: 1_000 }, () =>
      sql.begin((transaction) => transaction`insert into bench_floor (name, amount, at) values (${'Contoso'}, ${'1000.00'}, now())`),
    );
  } finally {
    await sql`drop table if exists bench_floor`;
    await sql.end();
  }
}

export async function measureFloors({ databaseUrl, natsUrl }: BenchServers): Promise<Floors> {
  return { natsRoundTrip: await natsRoundTrip(natsUrl), postgresTransaction: await postgresTransaction(databaseUrl) };
}
