/**
 * `npm run bench [-- <part of a case's name>]`: the floors, then every case, each as medians and as ratios to the floors of
 * the same run. Ends with 1 when a ratio is above its goal.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNatsServer } from '@airlock/local/nats';
import { findNatsServer } from '@airlock/local/nats-binary';
import { ensureDatabase, startPostgres } from '@airlock/local/postgres';
import type { Ratio } from './case.ts';
import { cases } from './cases.ts';
import { measureFloors } from './floors.ts';
import type { Measured } from './measure.ts';

const TOOLCHAIN = fileURLToPath(new URL('../../.airlock/toolchain', import.meta.url));

const row = ({ name, medianMs, p95Ms, runs }: Measured) =>
  `${name.padEnd(64)} ${medianMs.toFixed(3).padStart(10)} ${p95Ms.toFixed(3).padStart(10)} ${String(runs).padStart(7)}`;
const ratioRow = ({ name, ratio, atMost }: Ratio) =>
  `${ratio <= atMost ? 'ok  ' : 'OVER'} ${name.padEnd(70)} ${ratio.toFixed(2).padStart(7)} ×  (at most ${atMost} ×)`;

async function main(filter: string): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'airlock-bench-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  // Durable, as in production: a floor without fsync would flatter nobody.
  const postgres = stack.use(await startPostgres({ directory: join(directory, 'postgres'), durability: 'durable' }));
  const nats = stack.use(await startNatsServer({ binary: await findNatsServer(TOOLCHAIN), directory: join(directory, 'nats') }));
  const servers = { databaseUrl: await ensureDatabase(postgres, 'bench'), natsUrl: nats.url };

  console.log(`${''.padEnd(64)} ${'median ms'.padStart(10)} ${'p95 ms'.padStart(10)} ${'runs'.padStart(7)}`);
  const floors = await measureFloors(servers);
  console.log(row(floors.natsRoundTrip));
  console.log(row(floors.postgresTransaction));
  const ratios: Ratio[] = [];
  for (const one of cases.filter(({ name }) => name.includes(filter))) {
    const report = await one.run(servers, floors);
    for (const measured of report.measured) console.log(row(measured));
    ratios.push(...report.ratios);
  }
  for (const ratio of ratios) console.log(ratioRow(ratio));
  return ratios.every(({ ratio, atMost }) => ratio <= atMost) ? 0 : 1;
}

process.exitCode = await main(process.argv[2] ?? '');
