import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNatsServer } from '@airlock/local/nats';
import { findNatsServer } from '@airlock/local/nats-binary';
import { ensureDatabase, startPostgres } from '@airlock/local/postgres';
import { startBenchJobs, withJobTable } from './jobs-airlock.ts';
import { openJobsPeer } from './jobs-peer.ts';

const N = Number(process.argv[2] ?? 500);
const directory = await mkdtemp(join(tmpdir(), 'airlock-zz-'));
await using stack = new AsyncDisposableStack();
stack.defer(() => rm(directory, { recursive: true, force: true }));
const postgres = stack.use(await startPostgres({ directory: join(directory, 'postgres'), durability: 'durable' }));
const nats = stack.use(await startNatsServer({ binary: await findNatsServer('/work/main/.airlock/toolchain'), directory: join(directory, 'nats') }));
const servers = { database: (name: string) => ensureDatabase(postgres, `bench_${name}`), natsUrl: nats.url };
await using jobs = await startBenchJobs(servers, 'd');
console.log('up');
await withJobTable(jobs, 'bench_r', { stateless: true });
await withJobTable(jobs, 'bench_f', { stateless: false });
console.log('tables');
const cpu = () => process.cpuUsage();
for (let round = 0; round < 3; round++)
  for (const table of ['bench_r', 'bench_f']) {
    const c0 = process.cpuUsage();
    const t0 = performance.now();
    await jobs.enqueue(table, N);
    const t1 = performance.now();
    await jobs.drained();
    const t2 = performance.now();
    const c1 = process.cpuUsage(c0);
    console.log(
      table,
      `enqueue ${(t1 - t0).toFixed(0)} ms, drain ${(t2 - t1).toFixed(0)} ms = ${((N / (t2 - t1)) * 1000).toFixed(0)}/s, dispatcher cpu ${((c1.user + c1.system) / 1000).toFixed(0)} ms`,
    );
  }
if (process.argv[3] !== 'nopeer') {
  await using peer = await openJobsPeer(await servers.database('p'));
  for (let round = 0; round < 2; round++) {
    const t0 = performance.now();
    const done = peer.completed(N);
    await peer.enqueue(N);
    const t1 = performance.now();
    const c0 = process.cpuUsage();
    await peer.start();
    await done;
    const t2 = performance.now();
    const c1 = process.cpuUsage(c0);
    console.log(
      'gw',
      `enqueue ${(t1 - t0).toFixed(0)} drain ${(t2 - t1).toFixed(0)} = ${((N / (t2 - t1)) * 1000).toFixed(0)}/s cpu ${((c1.user + c1.system) / 1000).toFixed(0)} ms`,
    );
    await peer.stop();
  }
}
