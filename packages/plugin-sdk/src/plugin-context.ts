import type { Entity, EntityImage, EntityReference } from './entity.ts';
import type { ExecutionContext } from './execution-context.ts';
import type { OrganizationService } from './organization-service.ts';
import type { StepDeclaration, StepLimits } from './step-declaration.ts';

/**
 * Writes lines to the execution's trace, which ends up in the trace log: texts as they are, other values as an author would write
 * them. Never throws; what is beyond the limit `traceBytes` is left out of the middle.
 *
 * @example
 * context.tracing.trace(`limit ${limit} against revenue ${revenue}`);
 */
export interface TracingService {
  trace(...parts: readonly unknown[]): void;
}

/**
 * What this execution may use. The limits of CPU time and memory are the platform's to watch: nothing inside can measure them.
 *
 * @example
 * for (const row of rows) {
 *   if (context.limits.remaining().hostCalls < 2) break;
 *   await context.organizationService.update('account', row.id, { creditonhold: true });
 * }
 */
export interface ExecutionLimits extends Pick<StepLimits, 'wallMs' | 'traceBytes' | 'hostCalls' | 'hostCallsInFlight' | 'hostCallBytes'> {
  /** Host calls, and milliseconds on the execution's own clock, which moves when a call is answered. */
  remaining(): { readonly hostCalls: number; readonly ms: number };
}

/**
 * What was registered with the step.
 *
 * @example
 * const { currency } = JSON.parse(context.configuration.unsecure || '{"currency":"CHF"}');
 */
export interface StepConfiguration {
  readonly unsecure: string;
  /** Set by an operator, readable by nobody afterwards. Empty when there is none. */
  readonly secure: string;
}

/**
 * What the message is about: the columns that were sent for Create, Update and Upsert, a reference for Delete and Retrieve, either one for
 * other messages. A plug-in with steps on several messages gets the union.
 */
export type TargetOf<Message extends string> = Message extends 'Create' | 'Update' | 'Upsert'
  ? Entity
  : Message extends 'Delete' | 'Retrieve'
    ? EntityReference
    : Message extends 'RetrieveMultiple'
      ? undefined
      : Entity | EntityReference | undefined;

type ImagesIn<Step extends StepDeclaration> = Step extends { readonly images: readonly (infer Image)[] } ? Image : never;
type AliasOf<Image, Type extends string> = Image extends { readonly alias: infer Alias extends string; readonly type: Type } ? Alias : never;

/** Images by the aliases that the steps declare; `undefined` in the steps that declare no such image. */
export type PreImagesOf<Step extends StepDeclaration> = { readonly [Alias in AliasOf<ImagesIn<Step>, 'PreImage' | 'Both'>]?: EntityImage };
export type PostImagesOf<Step extends StepDeclaration> = { readonly [Alias in AliasOf<ImagesIn<Step>, 'PostImage' | 'Both'>]?: EntityImage };

/**
 * What `execute` is called with. Types of target and images follow from the declared steps.
 *
 * @example
 * async execute(context) {
 *   context.tracing.trace(context.executionContext.messageName);
 *   await context.organizationService.update('account', id, { creditonhold: true });
 * }
 */
export interface PluginContext<Step extends StepDeclaration = StepDeclaration> {
  readonly executionContext: ExecutionContext;
  /** `executionContext.inputParameters.Target`: change its attributes on PreValidation or PreOperation to change what is written. */
  readonly target: TargetOf<Step['message']>;
  readonly preImages: PreImagesOf<Step>;
  readonly postImages: PostImagesOf<Step>;
  /** Uses the privileges of the step's user. */
  readonly organizationService: OrganizationService;
  /** Uses all privileges. */
  readonly systemService: OrganizationService;
  /**
   * Uses the privileges of another user.
   *
   * @param userId A `systemuserid`; its calls reject with a fault when there is no such user, or the step may not act for it.
   */
  serviceFor(userId: string): OrganizationService;
  readonly tracing: TracingService;
  readonly configuration: StepConfiguration;
  /** What this execution may use, and what is left of it. */
  readonly limits: ExecutionLimits;
}
