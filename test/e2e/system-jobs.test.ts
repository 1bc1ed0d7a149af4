/** Statements 48 to 60 of the pipeline's reference: asynchronous steps as system jobs. */
import { expect, test } from 'vitest';
import { usePluginSystem } from '../support/plugin-system.ts';

const system = usePluginSystem({ dispatcherEnv: { AIRLOCK_JOB_RETRY_MS: '100', AIRLOCK_JOB_LEASE_MS: '2000' } });
const POLL = { timeout: 20_000, interval: 25 } as const;

const jobsOf = async (accountId: string) =>
  await system.sql`select * from airlock.asyncoperation where regardingobjectid = ${accountId} order by sequence`;

test('statements 48 and 49: an asynchronous step becomes a job that runs after the commit', async () => {
  await system.install(`
    export const later = definePlugin({
      steps: [{ name: 'later', message: 'Create', table: 'account', stage: 'PostOperation', mode: 'Asynchronous' }],
      async execute({ organizationService, executionContext, target }) {
        await organizationService.create('task', { subject: 'follow ' + target.attributes.name + ' ' + executionContext.mode + ' ' + executionContext.depth });
      },
    });`);
  const id = await system.create('accounts', { name: 'Later' });
  await expect.poll(async () => (await jobsOf(id)).map((job) => job['statuscode']), POLL).toEqual([30]);
  const [job] = await jobsOf(id);
  expect(job).toMatchObject({ operationtype: 1, messagename: 'Create', primaryentitytype: 'account', depth: 1, attempt: 1, retrycount: 0 });
  expect(await system.sql`select subject from data.task where subject = 'follow Later 1 1'`).toHaveLength(1);
});
