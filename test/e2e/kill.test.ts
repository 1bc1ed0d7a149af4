/** What dies in the middle of an operation: nothing half done is left behind, and what is left serves on by itself. */
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createdId, httpClient } from '../support/http.ts';
import { errorOf, usePluginSystem } from '../support/plugin-system.ts';
import { until } from '../support/until.ts';

const system = usePluginSystem();

const ANNOTATED = { prefer: 'odata.include-annotations="*"' };

/** Says outside of the transaction that it comes, writes a task in it, and on the account "Hang …" goes on reading until its limit. */
const hanging = `
  export const announce = definePlugin({
    steps: [{ message: 'Create', table: 'account', stage: 'PreValidation' }],
    async execute({ organizationService, target }) { await organizationService.create('contact', { lastname: target.attributes.name }); },
  });
  export const hanging = definePlugin({
    steps: [{ name: 'the hanging step', message: 'Create', table: 'account', stage: 'PostOperation', limits: { wallMs: 12_000, hostCalls: 10_000 } }],
    async execute({ organizationService, target }) {
      await organizationService.create('task', { subject: target.attributes.name });
      while (target.attributes.name.startsWith('Hang')) {
        await organizationService.retrieveMultiple({ table: 'task', columns: ['description'], top: 1 });
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await organizationService.create('task', { subject: target.attributes.name });
    },
  });`;

/** Backends of Postgres that hold a transaction open in which the hanging step reads: its task is written. */
const hangingBackends = () => system.sql<{ pid: number }[]>`
  select pid from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and state = 'idle in transaction' and query like '%description%task%'`;

/** An operation that hangs in its transaction; `answer` is its end, whatever it is. */
async function startHanging(name: string) {
  await system.install(hanging);
  const answer = system.http.request('POST', 'accounts', { body: { name }, headers: ANNOTATED }).catch((error: unknown) => error as Error);
  await until(async () => (await system.sql`select 1 from data.contact where lastname = ${name}`).length === 1);
  await until(async () => (await hangingBackends()).length === 1);
  return { answer };
}

async function answered(answer: Awaited<ReturnType<typeof startHanging>>['answer']) {
  const ended = await answer;
  if (ended instanceof Error) throw ended;
  return ended;
}

/** PreValidation's own row is there; of the transaction nothing is. */
async function expectNothingHalf(name: string): Promise<void> {
  await until(async () => (await hangingBackends()).length === 0);
  expect(await system.sql`select 1 from data.contact where lastname = ${name}`).toHaveLength(1);
  expect(await system.sql`select 1 from data.account where name = ${name}`).toHaveLength(0);
  expect(await system.sql`select 1 from data.task where subject = ${name}`).toHaveLength(0);
}

async function expectServes(name: string, client = system.http): Promise<void> {
  await until(async () => (await client.request('POST', 'accounts', { body: { name } }).catch(() => undefined))?.status === 204);
  expect((await system.sql`select 1 from data.task where subject = ${name}`).length).toBeGreaterThanOrEqual(2);
}

async function childrenOf(pid: number): Promise<number[]> {
  const children: number[] = [];
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const text = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '');
    children.push(...text.split(' ').filter(Boolean).map(Number));
  }
  return children;
}

test('a sandbox process that is killed in the middle of an execution: the operation rolls back, the next one works', async () => {
  const { answer } = await startHanging('Hang in a killed child');
  for (const child of await childrenOf(system.airlock.workers[0]?.pid ?? 0)) process.kill(child, 'SIGKILL');
  const failed = await answered(answer);
  const error = errorOf(failed);
  expect([failed.status, error.code, error['@Airlock.Retriable']]).toEqual([500, '0x8004418d', 'false']);
  expect(error.message).toMatch(/^The sandbox process that ran the plug-in step "the hanging step" crashed\./);
  expect((await system.traces(failed, 1)).at(-1)).toMatchObject({ failurekind: 'sandbox/crash', stepname: 'the hanging step' });
  await expectNothingHalf('Hang in a killed child');
  expect((await system.http.request('POST', 'accounts', { body: { name: 'After the child' } })).status).toBe(204);
});

test('a worker that is killed in the middle of a transaction: the operation rolls back, its children end, another worker serves', async () => {
  const { answer } = await startHanging('Hang in a killed worker');
  const worker = system.airlock.workers[0];
  const children = await childrenOf(worker?.pid ?? 0);
  expect(children.length).toBeGreaterThan(0);
  worker?.kill('SIGKILL');
  const failed = await answered(answer);
  expect([failed.status, errorOf(failed).code]).toEqual([503, '0x8008f005']);
  await expectNothingHalf('Hang in a killed worker');
  for (const child of children)
    await until(() =>
      readFile(`/proc/${child}/stat`).then(
        (text) => text.includes(') Z '),
        () => true,
      ),
    );
  await system.airlock.addWorker();
  await expectServes('After the worker');
});

test('a Postgres backend that is terminated in the middle of a transaction: a retriable error, nothing half applied', async () => {
  const { answer } = await startHanging('Hang on a lost backend');
  await until(async () => {
    const [backend] = await hangingBackends();
    return backend !== undefined && (await system.sql`select 1 from pg_terminate_backend(${backend.pid}) as ended where ended`).length === 1;
  });
  const failed = await answered(answer);
  expect([failed.status, errorOf(failed).code, errorOf(failed)['@Airlock.Retriable']]).toEqual([503, '0x80040255', 'true']);
  await expectNothingHalf('Hang on a lost backend');
  expect((await system.http.request('POST', 'accounts', { body: { name: 'After the backend' } })).status).toBe(204);
});

test('NATS killed in the middle and started again: the operation ends with a retriable error, and the parts find each other by themselves', async () => {
  const { answer } = await startHanging('Hang without a bus');
  await system.airlock.nats.kill();
  await until(async () => (await system.http.request('GET', '/readyz')).status === 503);
  // What needs no plug-in goes on without the bus.
  expect((await system.http.request('POST', 'contacts', { body: { lastname: 'Busless' } })).status).toBe(204);
  const failed = await answered(answer);
  expect([failed.status, errorOf(failed)['@Airlock.Retriable']]).toEqual([503, 'true']);
  await expectNothingHalf('Hang without a bus');
  await system.airlock.nats.start();
  await until(async () => (await system.http.request('GET', '/readyz')).status === 200);
  await expectServes('After the bus');
});

test('a dispatcher that is killed in the middle of a transaction leaves nothing behind, and one that is started serves', async () => {
  const { answer } = await startHanging('Hang in a killed dispatcher');
  system.airlock.dispatchers[0]?.process.kill('SIGKILL');
  expect(await answer).toBeInstanceOf(Error);
  await expectNothingHalf('Hang in a killed dispatcher');
  const restarted = await system.airlock.addDispatcher();
  const client = httpClient(restarted.url, system.http.token);
  await expectServes('After the dispatcher', client);
  const found = await client.request('GET', `accounts?$filter=name eq 'After the dispatcher'&$select=name`);
  expect(found.body).toMatchObject({ value: [{ name: 'After the dispatcher' }] });
  expect(createdId(await client.request('POST', 'contacts', { body: { lastname: 'Last' } }))).toMatch(/-/);
});
