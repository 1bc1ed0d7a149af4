import type { CorrelationId, OrganizationId, RequestId, UserId } from './ids.ts';
import type { IsolationMode, Mode } from './mode.ts';
import type { Stage } from './stage.ts';
import type { Entity, EntityReference, ParameterCollection } from './values.ts';

/** The part of the execution context that steps of one stage may change, and hand on to each other. */
export interface StageState {
  readonly inputParameters: ParameterCollection;
  readonly outputParameters: ParameterCollection;
  readonly sharedVariables: ParameterCollection;
}

/**
 * What a plug-in reads as `executionContext`; names are those of `IPluginExecutionContext` in camelCase
 * (dataverse-facts §2). On the wire it travels in three JSON texts that the guest runtime lays over each other:
 * shared by the stage, state of the stage, own to the step.
 */
export interface ExecutionContext extends StageState {
  readonly stage: Stage;
  readonly mode: Mode;
  readonly isolationMode: IsolationMode;
  readonly depth: number;
  readonly messageName: string;
  readonly primaryEntityName: string;
  readonly primaryEntityId: string | null;
  readonly requestId: RequestId;
  readonly correlationId: CorrelationId;
  /** The system job's id; the nil uuid in a synchronous step. */
  readonly operationId: string;
  readonly operationCreatedOn: string;
  readonly userId: UserId;
  readonly initiatingUserId: UserId;
  readonly authenticatedUserId: UserId;
  readonly businessUnitId: string;
  readonly organizationId: OrganizationId;
  readonly organizationName: string;
  readonly preEntityImages: Readonly<Record<string, Entity>>;
  readonly postEntityImages: Readonly<Record<string, Entity>>;
  readonly owningExtension: EntityReference;
  readonly isInTransaction: boolean;
  readonly isExecutingOffline: false;
  readonly isOfflinePlayback: false;
  readonly parentContext: ExecutionContext | null;
}

/** Same for every step of one stage of one operation. */
export type StageContext = Omit<ExecutionContext, keyof StageState | keyof OwnContext>;
/** Differs from step to step. */
export type OwnContext = Pick<ExecutionContext, 'userId' | 'preEntityImages' | 'postEntityImages' | 'owningExtension' | 'isolationMode'>;
