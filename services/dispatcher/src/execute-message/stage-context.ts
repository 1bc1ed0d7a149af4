import {
  type Entity,
  type ExecutionContext,
  imagesOf,
  Mode,
  NIL_UUID,
  type OwnContext,
  type ParameterCollection,
  parentContextOf,
  type StageContext,
  type StageState,
  type Step,
  type StepStage,
  type UserId,
} from '@airlock/pipeline';
import type { MessageRequest } from './message.ts';
import type { Operation } from './operation.ts';

/** What stays the same through the stages of one message. */
export interface MessageFrame {
  readonly request: MessageRequest;
  /** The message that runs: Upsert has become Create or Update. */
  readonly messageName: string;
  readonly primaryEntityId: string | null;
  readonly depth: number;
  readonly preValidationShared: ParameterCollection;
}

export interface Images {
  readonly pre: Entity | undefined;
  readonly post: Entity | undefined;
}

/** The context that all steps of a stage share. */
export function stageContextOf(
  op: Operation,
  frame: MessageFrame,
  { stage, state }: { readonly stage: StepStage; readonly state: StageState },
): StageContext {
  const { request } = frame;
  const { organization } = op.deps;
  const shared = {
    mode: Mode.Synchronous,
    depth: frame.depth,
    messageName: frame.messageName,
    primaryEntityName: request.table.logicalName,
    primaryEntityId: frame.primaryEntityId,
    requestId: request.requestId,
    correlationId: request.correlationId,
    operationId: NIL_UUID,
    operationCreatedOn: new Date().toISOString(),
    initiatingUserId: request.initiatingUserId ?? request.caller.userId,
    authenticatedUserId: request.caller.authenticatedUserId,
    businessUnitId: organization.businessUnitId,
    // One organization a database: its id is made by the migration, a uuid.
    organizationId: organization.organizationId as StageContext['organizationId'],
    organizationName: organization.name,
    isInTransaction: op.transaction !== undefined,
    isExecutingOffline: false,
    isOfflinePlayback: false,
  } as const;
  const operation = { ...shared, ...state, ...noOwn(request.caller.userId) };
  const parentContext = parentContextOf({
    stage,
    messageName: frame.messageName,
    caller: request.parent ?? null,
    operation,
    preValidationShared: frame.preValidationShared,
  });
  return { ...shared, stage, parentContext };
}

/** The operation itself belongs to no step: what a step sees of it as parent context has no images. */
function noOwn(userId: UserId): OwnContext {
  return {
    userId,
    preEntityImages: {},
    postEntityImages: {},
    owningExtension: { logicalName: 'sdkmessageprocessingstep', id: NIL_UUID },
    isolationMode: 2,
  };
}

export function ownContextOf(step: Step, userId: UserId, images: Images): OwnContext {
  return {
    userId,
    preEntityImages: imagesOf(step, 'pre', images.pre),
    postEntityImages: imagesOf(step, 'post', images.post),
    owningExtension: { logicalName: 'sdkmessageprocessingstep', id: step.id, name: step.name },
    isolationMode: step.plugin.isolationMode,
  };
}

/** The whole context of one step, as its nested messages see it as parent. */
export function contextOf(stage: StageContext, state: StageState, own: OwnContext): ExecutionContext {
  return { ...stage, ...state, ...own };
}
