import type { OwnContext, StageContext, StageState, Step } from '@airlock/pipeline';
import { z } from 'zod';
import type { Caller } from '../execute-message/message.ts';
import { roles } from '../metadata/table.ts';

/** The step as it was when the operation committed: a queued job keeps its version. Its secret stays where it is. */
export type StepSnapshot = Omit<Step, 'secureConfiguration'>;

/** What an attempt needs, as `asyncoperation.data` keeps it. */
export interface JobData {
  readonly version: 1;
  /** Without `operationId`: the job's id is known when the row is. */
  readonly context: Omit<StageContext, 'operationId'>;
  readonly state: StageState;
  /** Images of everything that the step asked for; who may not read the table when the attempt runs does not get them. */
  readonly own: OwnContext;
  readonly step: StepSnapshot;
  readonly caller: Caller;
}

const collection = z.record(z.string(), z.unknown());
const Stored = z.object({
  version: z.literal(1),
  context: z.looseObject({
    messageName: z.string(),
    depth: z.int(),
    primaryEntityName: z.string(),
    correlationId: z.string(),
    requestId: z.string(),
  }),
  state: z.object({ inputParameters: collection, outputParameters: collection, sharedVariables: collection }),
  own: z.looseObject({ userId: z.string(), preEntityImages: collection, postEntityImages: collection }),
  step: z.looseObject({
    id: z.string(),
    name: z.string(),
    runAs: z.looseObject({ kind: z.string() }),
    plugin: z.looseObject({ bundleDigest: z.string(), typeName: z.string() }),
  }),
  caller: z.object({ userId: z.string(), role: z.enum(roles), authenticatedUserId: z.string() }),
});

/** The secret is not even looked at: one that cannot be opened must not fail the operation that queues the job. */
export function snapshotOf(step: Step): StepSnapshot {
  const names = (Object.keys(step) as (keyof Step)[]).filter((name) => name !== 'secureConfiguration');
  // Every property but one, each with its own value.
  return Object.fromEntries(names.map((name) => [name, step[name]])) as unknown as StepSnapshot;
}

export function jobDataText(data: JobData): string {
  return JSON.stringify(data);
}

/** Throws when the row was not written by `jobDataText`: only the platform writes it, so that is a broken row. */
export function parseJobData(text: string): JobData {
  // The platform's own text, checked down to the parts that decide something; ids in it were branded when it was written.
  return Stored.parse(JSON.parse(text)) as unknown as JobData;
}
