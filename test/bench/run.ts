/**
 * `npm run bench [-- <part of a case's name>]`: every case as medians and as ratios to what it is compared to in the same run.
 * Ends with 1 when a ratio is above its goal.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNatsServer } from '@airlock/local/nats';
import { findNatsServer } from '@airlock/local/nats-binary';
import { ensureDatabase, startPostgres } from '@airlock/local/postgres';
import type { BenchServers, Ratio } from './case.ts';
import { cases } from './cases.ts';
import type { Measured } from './measure.ts';

const TOOLCHAIN = fileURLToPath(new URL('../../.airlock/toolchain', import.meta.url));

const row = ({ name, medianMs, p95Ms, runs }: Measured) =>
  `${name.padEnd(64)} ${medianMs.toFixed(3).padStart(10)} ${p95Ms.toFixed(3).padStart(10)} ${String(runs).padStart(7)}`;
const ratioRow = ({ name, ratio, atMost }: Ratio) =>
  `${ratio <= atMost ? 'ok  ' : 'OVER'} ${name.padEnd(70)} ${ratio.toFixed(2).padStart(7)}  (at most ${atMost})`;

async function main(filter: string): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'airlock-bench-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  // Durable, as in production: a floor without fsync would flatter nobody.
  const postgres = stack.use(await startPostgres({ directory: join(directory, 'postgres'), durability: 'durable' }));
  const nats = stack.use(await startNatsServer({ binary: await findNatsServer(TOOLCHAIN), directory: join(directory, 'nats') }));
  const servers: BenchServers = { database: (name) => ensureDatabase(postgres, `bench_${name}`), natsUrl: nats.url };

  const [load = 0] = loadavg();
  console.log(`${availableParallelism()} processors, load ${load.toFixed(1)} before the start: what else runs here makes every figure worse\n`);
  const chosen = cases.filter(({ name }) => name.includes(filter));
  if (chosen.length === 0) throw new Error(`no case has "${filter}" in its name; there are ${cases.map(({ name }) => name).join(', ')}`);
  const ratios: Ratio[] = [];
  for (const one of chosen) {
    console.log(`${one.name.padEnd(64)} ${'median ms'.padStart(10)} ${'p95 ms'.padStart(10)} ${'runs'.padStart(7)}`);
    const report = await one.run(servers);
    for (const measured of report.measured) console.log(row(measured));
    for (const ratio of report.ratios) console.log(ratioRow(ratio));
    for (const note of report.notes ?? []) console.log(`note ${note}`);
    console.log('');
    ratios.push(...report.ratios);
  }
  return ratios.every(({ ratio, atMost }) => ratio <= atMost) ? 0 : 1;
}

process.exitCode = await main(process.argv[2] ?? '');
