import type { EntityImage, EntityReference, ParameterCollection } from './entity.ts';

/**
 * What is happening, and for whom. Names are those of Dataverse's `IPluginExecutionContext` in camel case. The object is read-only;
 * of the three collections the contents can be changed.
 *
 * @example
 * const { messageName, primaryEntityName, depth } = context.executionContext;
 * context.tracing.trace(`${messageName} of ${primaryEntityName}, depth ${depth}`);
 */
export interface ExecutionContext {
  /** 10 PreValidation, 20 PreOperation, 40 PostOperation. */
  readonly stage: 10 | 20 | 30 | 40;
  /** 0 synchronous, 1 asynchronous. */
  readonly mode: 0 | 1;
  /** 1 none (full trust), 2 sandbox. */
  readonly isolationMode: 1 | 2;
  /** 1 for an operation that a user started, one more for each level of service calls; 8 is the deepest. */
  readonly depth: number;
  /** `Create`, `Update`, `Delete`, … */
  readonly messageName: string;
  /** Logical name of the table. */
  readonly primaryEntityName: string;
  /** `null` before the row exists. */
  readonly primaryEntityId: string | null;
  readonly requestId: string;
  /** The same for everything that one request of a user caused. */
  readonly correlationId: string;
  /** The system job's id; the nil uuid in a synchronous step. */
  readonly operationId: string;
  readonly operationCreatedOn: string;
  /** Whose privileges the step uses. */
  readonly userId: string;
  /** Who caused the operation. */
  readonly initiatingUserId: string;
  /** Who is really signed in. */
  readonly authenticatedUserId: string;
  readonly businessUnitId: string;
  readonly organizationId: string;
  readonly organizationName: string;
  /** What was asked for, e.g. `Target`. Changes count on PreValidation and PreOperation. */
  readonly inputParameters: ParameterCollection;
  /** What the operation answers, e.g. `id`. Filled on PostOperation. */
  readonly outputParameters: ParameterCollection;
  /**
   * A bag for later steps of the operation. What PreValidation puts there is found by the later stages in
   * `parentContext.sharedVariables`.
   */
  readonly sharedVariables: ParameterCollection;
  /** By alias; `context.preImages` is the same. */
  readonly preEntityImages: Readonly<Record<string, EntityImage>>;
  readonly postEntityImages: Readonly<Record<string, EntityImage>>;
  /** The step that runs. */
  readonly owningExtension: EntityReference;
  /** A rejection undoes what was done so far. False on PreValidation of an operation that no transaction surrounds. */
  readonly isInTransaction: boolean;
  readonly isExecutingOffline: false;
  readonly isOfflinePlayback: false;
  /** The operation whose plug-in caused this one, `null` at the top. */
  readonly parentContext: ExecutionContext | null;
}
