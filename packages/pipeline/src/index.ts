export { classify } from './classify.ts';
export type { ExecutionContext, OwnContext, StageContext, StageState } from './context.ts';
export { type ContextChainRequest, parentContextOf, separatesPreValidation, sharedVariablesAfterPreValidation } from './context-chain.ts';
export { checkDepth, DEFAULT_MAX_DEPTH, type DepthDecision, type DepthRequest } from './depth.ts';
export { DEFAULT_PLUGIN_ERROR_CODE, type Failure, type GuestError, OperationStatus, type Rejection } from './failure.ts';
export { type ChosenFault, type Fault, type FaultCircumstances, type FaultDetails, type FaultName, faultOf } from './fault.ts';
export {
  type Attempt,
  type Branded,
  type BundleDigest,
  type CorrelationId,
  NIL_UUID,
  type OrganizationId,
  parseAttempt,
  parseBundleDigest,
  parseCorrelationId,
  parseOrganizationId,
  parseRequestId,
  parseStepId,
  parseSystemJobId,
  parseUserId,
  parseUuid,
  type RequestId,
  type StepId,
  type SystemJobId,
  type UserId,
} from './ids.ts';
export { imagesOf, projectImage } from './image.ts';
export {
  actionOfUpdate,
  decideJobAction,
  type JobAction,
  type JobDecision,
  type JobOwnership,
  type JobRefusal,
  type JobUpdate,
  jobRefusals,
} from './job-action.ts';
export { defaultAsyncLimits, defaultSyncLimits, maximumLimits, type StepLimits } from './limits.ts';
export { findMessage, type MessageName, type MessageRule, messages } from './messages.ts';
export { IsolationMode, Mode, type ModeName, modeName, parseMode } from './mode.ts';
export type { Receipt, RunObservation, Thrown } from './observation.ts';
export {
  explainSkipped,
  type ImageNeed,
  indexSteps,
  type Plan,
  type PlannedSteps,
  type PlanRequest,
  planMessage,
  type SkippedStep,
  type SkipReason,
  type StepIndex,
} from './plan.ts';
export { fourAttempts, MAX_RETRY_AFTER_MS, type RetryDelayRequest, type RetryPolicy, retryDelayMs } from './retry-policy.ts';
export { parseStepStage, Stage, type StageName, type StepStage, stageName } from './stage.ts';
export { acceptStageState, MAX_STATE_CHARS, MAX_STATE_DEPTH, type ParsedStageState, parseStageState, type StageStateOrigin } from './stage-state.ts';
export { ImageType, type PluginOfStep, type RunAs, type Step, type StepImage } from './step.ts';
export type { ImageDraft, RuleViolation, StepDraft, StepFacts, StepTable } from './step-draft.ts';
export { checkStep, SupportedDeployment } from './step-rules.ts';
export {
  type AfterFailureOptions,
  afterFailure,
  afterSuccess,
  type CompletedJob,
  claimed,
  type JobState,
  type JobStatus,
  jobNumbers,
  queued,
  type RunningJob,
  type WaitingForResources,
  type WaitingJob,
  whenDue,
} from './system-job.ts';
export { exceptionDetailsOf, type TracedStep, TraceLogSetting, traceTextOf, truncateMiddle, utf8Bytes, writesTraceLog } from './trace-log.ts';
export type { Attributes, AttributeValue, Entity, EntityReference, JsonValue, ParameterCollection } from './values.ts';
export { type Verdict, type VerdictCircumstances, verdict } from './verdict.ts';
