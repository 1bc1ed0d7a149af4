import type { ExecutionContext } from './context.ts';
import type { GuestError, OperationStatus, Rejection } from './failure.ts';
import type { BundleDigest, CorrelationId, OrganizationId, RequestId, StepId, UserId } from './ids.ts';
import type { RunObservation } from './observation.ts';
import type { Step } from './step.ts';

/** Data for the tests of this package; ids here are made up, so they are branded without a parser. */
export const uuid = (n: number) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

export function step(changes: Partial<Step> = {}): Step {
  return {
    id: uuid(1) as StepId,
    name: 'step',
    messageName: 'Update',
    primaryTable: 'account',
    stage: 20,
    mode: 0,
    rank: 1,
    filteringAttributes: [],
    images: [],
    runAs: { kind: 'calling-user' },
    enabled: true,
    unsecureConfiguration: '',
    secureConfiguration: '',
    asyncAutoDelete: false,
    limits: {},
    createdOn: 1,
    plugin: {
      typeName: 'CheckCredit',
      bundleName: 'credit',
      bundleVersion: '1.0.0',
      bundleDigest: 'a'.repeat(64) as BundleDigest,
      uploadedAtMs: 0,
      stateless: false,
      isolationMode: 2,
    },
    ...changes,
  };
}

/** An observation of a run in which nothing happened. */
export const quiet: RunObservation = {
  deadlineFired: false,
  cpuLimitFired: false,
  residentLimitFired: false,
  heapExhausted: false,
  hostCallLimitFired: false,
  childDied: false,
  shuttingDown: false,
};

export const guestError: GuestError = { name: 'TypeError', message: 'secret words', stack: 'TypeError: secret words\n    at src/check.ts:3:7' };

export function rejection(changes: Partial<Rejection> = {}): Rejection {
  return { status: 0, errorCode: 0, httpStatus: 0, message: 'Not allowed', details: {}, ...changes };
}

export function rejected(status: OperationStatus, retryAfterMs?: number) {
  const asked = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { origin: 'plug-in', kind: 'rejected', rejection: rejection({ status, ...asked }), error: guestError } as const;
}

export function context(changes: Partial<ExecutionContext> = {}): ExecutionContext {
  return {
    stage: 20,
    mode: 0,
    isolationMode: 2,
    depth: 1,
    messageName: 'Create',
    primaryEntityName: 'account',
    primaryEntityId: null,
    requestId: uuid(2) as RequestId,
    correlationId: uuid(3) as CorrelationId,
    operationId: uuid(0),
    operationCreatedOn: '2026-01-31T12:00:00.000Z',
    userId: uuid(4) as UserId,
    initiatingUserId: uuid(4) as UserId,
    authenticatedUserId: uuid(4) as UserId,
    businessUnitId: uuid(5),
    organizationId: uuid(6) as OrganizationId,
    organizationName: 'contoso',
    preEntityImages: {},
    postEntityImages: {},
    owningExtension: { logicalName: 'sdkmessageprocessingstep', id: uuid(1), name: 'A' },
    isInTransaction: true,
    isExecutingOffline: false,
    isOfflinePlayback: false,
    inputParameters: {},
    outputParameters: {},
    sharedVariables: {},
    parentContext: null,
    ...changes,
  };
}
