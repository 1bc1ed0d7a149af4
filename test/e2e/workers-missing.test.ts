/** The platform's own failures of design §4: no worker, a worker that is lost, a worker that shuts down. */
import { expect, test } from 'vitest';
import { errorOf, usePluginSystem } from '../support/plugin-system.ts';
import { until } from '../support/until.ts';

const system = usePluginSystem({ dispatcherEnv: { AIRLOCK_WORKER_WAIT_MS: '1500' }, workerEnv: { AIRLOCK_DRAIN_MS: '0' } });

const ANNOTATED = { prefer: 'odata.include-annotations="*"' };

/** Says in a committed row that it runs, then waits for longer than any test. */
const waiting = `
  export const waiting = definePlugin({
    steps: [{ name: 'the waiting step', message: 'Create', table: 'account', stage: 'PreValidation', limits: { wallMs: 100_000 } }],
    async execute({ organizationService, target }) {
      await organizationService.create('task', { subject: target.attributes.name });
      if (target.attributes.name.startsWith('Wait')) await new Promise((resolve) => setTimeout(resolve, 90_000));
    },
  });`;

async function startWaiting(name: string) {
  await system.install(waiting);
  const answer = system.http.request('POST', 'accounts', { body: { name }, headers: ANNOTATED, timeoutMs: 60_000 });
  await until(async () => (await system.sql`select 1 from data.task where subject = ${name}`).length === 1);
  return { answer };
}

async function expectServesAgain(name: string): Promise<void> {
  await system.airlock.addWorker();
  await until(async () => (await system.http.request('POST', 'accounts', { body: { name } })).status === 204);
}

test('a worker that is killed in the middle: a retriable error, and the next worker serves', async () => {
  const { answer } = await startWaiting('Wait for a killed worker');
  system.airlock.workers.at(-1)?.kill('SIGKILL');
  const failed = await answer;
  const error = errorOf(failed);
  expect([failed.status, error.code, error['@Airlock.Retriable']]).toEqual([503, '0x8008f005', 'true']);
  expect(error.message).toMatch(/^The worker that ran the plug-in step "the waiting step" was lost\./);
  expect(failed.headers.get('retry-after')).toMatch(/^\d+$/);
  const [row] = await system.traces(failed, 1);
  expect(row).toMatchObject({ failurekind: 'platform/worker-lost', stepname: 'the waiting step' });
  expect(await system.sql`select 1 from data.account where name = 'Wait for a killed worker'`).toHaveLength(0);
  await expectServesAgain('After the killed worker');
});

test('a worker that shuts down in the middle: a retriable error that says so, and the next worker serves', async () => {
  const { answer } = await startWaiting('Wait for a stopped worker');
  await system.airlock.workers.at(-1)?.stop();
  const failed = await answer;
  const error = errorOf(failed);
  expect([failed.status, error.code, error['@Airlock.Retriable']]).toEqual([503, '0x8008f006', 'true']);
  expect(error.message).toMatch(/shutting down/);
  expect((await system.traces(failed, 1)).map(({ failurekind }) => failurekind)).toContain('platform/shutting-down');
  await expectServesAgain('After the stopped worker');
});

test('no worker at all: a retriable error that names pool, workers and queue, and reads without plug-ins go on', async () => {
  await system.install(waiting);
  await system.airlock.workers.at(-1)?.stop();
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'Nobody' }, headers: ANNOTATED });
  const error = errorOf(answer);
  expect([answer.status, error.code, error['@Airlock.Retriable']]).toEqual([503, '0x8004418e', 'true']);
  expect(error.message).toMatch(/^No worker of pool "default" took the step "the waiting step" within \d+ ms: 0 workers, \d+ executions waiting\./);
  expect((await system.traces(answer, 1))[0]).toMatchObject({ failurekind: 'platform/no-worker' });
  await until(async () => (await system.http.request('GET', '/readyz')).status === 503);
  expect((await system.http.request('GET', '/healthz')).status).toBe(200);
  expect((await system.http.request('GET', 'accounts?$top=1')).status).toBe(200);
  expect((await system.http.request('POST', 'contacts', { body: { lastname: 'No plug-in here' } })).status).toBe(204);
  await expectServesAgain('After nobody');
  await until(async () => (await system.http.request('GET', '/readyz')).status === 200);
});
