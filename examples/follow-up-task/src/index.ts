import { changedColumns, definePlugin, type Entity } from '@airlock/plugin-sdk';
import { followUpTask, limitSubject } from './task.ts';

/** A new account is welcomed within three working days. */
export const welcomeTask = definePlugin({
  steps: [
    {
      name: 'welcome a new account',
      message: 'Create',
      table: 'account',
      stage: 'PostOperation',
      images: [{ alias: 'created', type: 'PostImage', columns: ['name'] }],
    },
  ],
  async execute({ executionContext, postImages, organizationService, tracing }) {
    const accountId = executionContext.primaryEntityId;
    if (accountId === null) throw new Error('A Create has a row on PostOperation.');
    const task = followUpTask(`Welcome ${nameOf(postImages.created)}`, accountId, { now: new Date(), workingDays: 3 });
    const taskId = await organizationService.create('task', task);
    tracing.trace(`task ${taskId}, due ${String(task['scheduledend'])}`);
  },
});

/** When a credit limit really changed, somebody explains it to the customer. */
export const creditLimitTask = definePlugin({
  steps: [
    {
      name: 'explain a changed credit limit',
      message: 'Update',
      table: 'account',
      stage: 'PostOperation',
      filteringAttributes: ['creditlimit'],
      images: [
        { alias: 'before', type: 'PreImage', columns: ['creditlimit'] },
        { alias: 'after', type: 'PostImage', columns: ['name', 'creditlimit'] },
      ],
    },
  ],
  async execute({ target, preImages, postImages, organizationService, tracing }) {
    const change = changedColumns(preImages.before, target).find(({ column }) => column === 'creditlimit');
    if (change === undefined || target.id === undefined) {
      tracing.trace('The credit limit was sent, but is the same.');
      return;
    }
    const subject = limitSubject(nameOf(postImages.after), change);
    await organizationService.create('task', followUpTask(subject, target.id, { now: new Date(), workingDays: 1 }));
  },
});

function nameOf(account: Entity | undefined): string {
  const name = account?.attributes['name'];
  return typeof name === 'string' ? name : 'an account without a name';
}
