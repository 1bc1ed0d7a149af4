import type { ExecutionContext } from './context.ts';
import { findMessage } from './messages.ts';
import { Stage, type StepStage } from './stage.ts';
import type { ParameterCollection } from './values.ts';

export interface ContextChainRequest {
  readonly stage: StepStage;
  readonly messageName: string;
  /** The context of the step whose service call this operation is; `null` for a caller's own request. */
  readonly caller: ExecutionContext | null;
  /** The operation as it stands outside its stages; read when the stage sees its operation as parent. */
  readonly operation: Omit<ExecutionContext, 'stage' | 'sharedVariables' | 'parentContext'>;
  /** Shared variables as PreValidation left them. */
  readonly preValidationShared: ParameterCollection;
}

/**
 * The parent context of a stage (statement 26). PreOperation and PostOperation of Create, Update and Delete run in a
 * pipeline inside that of PreValidation, so they see their own operation as parent, and with it the shared variables of
 * PreValidation; above it stands the step that called. Elsewhere the caller is the parent.
 */
export function parentContextOf(request: ContextChainRequest): ExecutionContext | null {
  const { stage, caller, operation, preValidationShared } = request;
  if (stage === Stage.PreValidation || !separatesPreValidation(request.messageName)) return caller;
  return { ...operation, stage: Stage.MainOperation, sharedVariables: preValidationShared, parentContext: caller };
}

/** Whether PreValidation's shared variables stay apart from those that PreOperation and PostOperation share. */
export function separatesPreValidation(messageName: string): boolean {
  return findMessage(messageName)?.preValidationApart === true;
}

/** What PreOperation starts with: a fresh collection (with the caller's tag) where PreValidation's stays apart, else the same one. */
export function sharedVariablesAfterPreValidation(messageName: string, preValidationShared: ParameterCollection): ParameterCollection {
  if (!separatesPreValidation(messageName)) return preValidationShared;
  const tag = preValidationShared['tag'];
  return tag === undefined ? {} : { tag };
}
