import { NIL_UUID, parseBundleDigest, parseStepId, parseUserId, type Step } from '@airlock/pipeline';
import { expect, test } from 'vitest';
import { type JobData, jobDataText, parseJobData, snapshotOf } from './job-data.ts';

const known = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('the fixture is wrong');
  return value;
};
const userId = known(parseUserId('10000000-0000-0000-0000-000000000000'));
const step = {
  id: known(parseStepId('20000000-0000-0000-0000-000000000000')),
  name: 'later',
  messageName: 'Create',
  primaryTable: 'account',
  stage: 40,
  mode: 1,
  rank: 1,
  filteringAttributes: [],
  images: [],
  runAs: { kind: 'calling-user' },
  enabled: true,
  unsecureConfiguration: 'open',
  asyncAutoDelete: false,
  limits: {},
  createdOn: 0,
  plugin: {
    typeName: 'Later',
    bundleName: 'b',
    bundleVersion: '1.0.0',
    bundleDigest: known(parseBundleDigest('a'.repeat(64))),
    uploadedAtMs: 0,
    stateless: false,
    isolationMode: 2,
  },
} as const;

test('a snapshot of a step holds no secret, and does not even look at one that cannot be opened', () => {
  const unreadable: Step = {
    ...step,
    get secureConfiguration(): string {
      throw new Error('looked at');
    },
  };
  expect(snapshotOf(unreadable)).toEqual(step);
  expect(JSON.stringify(snapshotOf({ ...step, secureConfiguration: 'hidden' }))).not.toContain('hidden');
});

test('what was queued is what the attempt reads', () => {
  const data = {
    version: 1,
    context: { messageName: 'Create', depth: 2, primaryEntityName: 'account', correlationId: NIL_UUID, requestId: NIL_UUID, parentContext: null },
    state: {
      inputParameters: { Target: { logicalName: 'account', id: NIL_UUID, attributes: { name: 'x' } } },
      outputParameters: {},
      sharedVariables: {},
    },
    own: { userId, preEntityImages: {}, postEntityImages: {}, isolationMode: 2 },
    step,
    caller: { userId, role: 'user', authenticatedUserId: userId },
  };
  // A context with the parts that decide something.
  expect(parseJobData(jobDataText(data as unknown as JobData))).toEqual(data);
  expect(() => parseJobData('{"version":2}')).toThrow();
});
