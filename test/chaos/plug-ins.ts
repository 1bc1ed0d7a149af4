import { SDK_IMPORT } from '../support/plugin-bundle.ts';

/** Tables whose rows are the evidence: who wrote what, for which operation, in which attempt. */
const text = (logicalName: string) => ({ logicalName, displayName: logicalName, type: 'string', maxLength: 200 });
const number = (logicalName: string) => ({ logicalName, displayName: logicalName, type: 'integer' });

const table = (logicalName: string, columns: readonly object[]) => ({
  logicalName,
  displayName: logicalName,
  displayCollectionName: `${logicalName}s`,
  entitySetName: `${logicalName}s`,
  primaryNameAttribute: 'name',
  columns: [text('name'), ...columns],
});

export const chaosTables = [
  table('chaosrecord', [text('token'), text('stamped'), text('verdict'), number('tries'), number('slow')]),
  table('chaosdetail', [text('record'), text('token'), text('correlation'), text('operation')]),
  table('chaosledger', [text('correlation')]),
  table('chaosappend', [text('job'), text('run'), number('place'), text('correlation'), text('step')]),
];

/** Steps of the load by name: their jobs are counted by it. */
export const jobSteps = { ledger: 'chaos ledger', retry: 'chaos retry', append: 'chaos append', slow: 'chaos slow' } as const;
export type JobStep = keyof typeof jobSteps;

/** Rows that an attempt of the step has written when it is through. */
export const rowsOfRun: Readonly<Record<JobStep, number>> = { ledger: 0, retry: 1, append: 3, slow: 2 };

const helpers = `
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const upTo = (least, most) => least + Math.floor(Math.random() * (most - least + 1));

/** What the platform says is worth another try is asked for; anything else is a bug, and fails the job. */
async function insist(work) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OrganizationServiceFault && (error.retriable || error.code === '0x8008f00a'))
      throw new InvalidPluginExecutionException('again: ' + error.message, { status: OperationStatus.Retry, retryAfterMs: upTo(200, 1500) });
    throw error;
  }
}

const appender = ({ executionContext, organizationService }, step) => {
  const run = crypto.randomUUID();
  let place = 0;
  return () => insist(() => organizationService.create('chaosappend', {
    name: step, job: executionContext.operationId, run, place: ++place, correlation: executionContext.correlationId, step,
  }));
};`;

const synchronous = `
export const stamp = definePlugin({
  steps: [{ name: 'chaos stamp create', message: 'Create', table: 'chaosrecord', stage: 'PreOperation' }, { name: 'chaos stamp update', message: 'Update', table: 'chaosrecord', stage: 'PreOperation' }],
  execute({ target }) { target.attributes.stamped = target.attributes.token; },
});

export const detail = definePlugin({
  steps: [{ name: 'chaos detail create', message: 'Create', table: 'chaosrecord', stage: 'PostOperation' }, { name: 'chaos detail update', message: 'Update', table: 'chaosrecord', stage: 'PostOperation' }],
  async execute({ executionContext, target, organizationService }) {
    const { token } = target.attributes;
    await organizationService.create('chaosdetail', { name: token, token, record: executionContext.primaryEntityId, correlation: executionContext.correlationId, operation: executionContext.messageName });
  },
});

export const judge = definePlugin({
  steps: [{ name: 'chaos judge create', message: 'Create', table: 'chaosrecord', stage: 'PostOperation', rank: 9 }, { name: 'chaos judge update', message: 'Update', table: 'chaosrecord', stage: 'PostOperation', rank: 9 }],
  execute({ target }) {
    if (target.attributes.verdict === 'reject') throw new InvalidPluginExecutionException('rejected by the judge');
    if (target.attributes.verdict === 'throw') throw new TypeError('the judge stumbled');
  },
});`;

const asynchronous = `
/** Doing it twice is doing it once: the row has the job's id. */
export const ledger = definePlugin({
  steps: [{ name: '${jobSteps.ledger}', message: 'Create', table: 'chaosrecord', stage: 'PostOperation', mode: 'Asynchronous', asyncAutoDelete: true }],
  async execute({ executionContext, organizationService }) {
    try {
      await insist(() => organizationService.create({ logicalName: 'chaosledger', id: executionContext.operationId, attributes: { name: 'ledger', correlation: executionContext.correlationId } }));
    } catch (error) {
      if (!(error instanceof OrganizationServiceFault) || error.code !== '0x80040237') throw error;
    }
  },
});

export const retry = definePlugin({
  steps: [{ name: '${jobSteps.retry}', message: 'Create', table: 'chaosrecord', stage: 'PostOperation', mode: 'Asynchronous' }],
  async execute(context) {
    const append = appender(context, 'retry');
    const before = await insist(() => context.organizationService.retrieveMultiple({ table: 'chaosappend', columns: ['run'], conditions: [{ column: 'job', operator: 'eq', value: context.executionContext.operationId }] }));
    await append();
    if (before.entities.length < context.target.attributes.tries)
      throw new InvalidPluginExecutionException('not yet', { status: OperationStatus.Retry, retryAfterMs: upTo(50, 800) });
  },
});

/** Not idempotent on purpose: each attempt leaves its rows, and rows of two attempts that lie between each other are two at once. */
export const append = definePlugin({
  steps: [{ name: '${jobSteps.append}', message: 'Create', table: 'chaosdetail', stage: 'PostOperation', mode: 'Asynchronous' }],
  async execute(context) {
    const append = appender(context, 'append');
    await append();
    await sleep(upTo(5, 60));
    await append();
    await sleep(upTo(5, 60));
    await append();
  },
});

export const slow = definePlugin({
  steps: [{ name: '${jobSteps.slow}', message: 'Update', table: 'chaosrecord', stage: 'PostOperation', mode: 'Asynchronous' }],
  async execute(context) {
    const append = appender(context, 'slow');
    await append();
    await sleep(context.target.attributes.slow);
    await append();
  },
});`;

export const chaosSource = `${SDK_IMPORT}${helpers}\n${synchronous}\n${asynchronous}\n`;
