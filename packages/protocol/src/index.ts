export {
  AssignedStep,
  Assignment,
  BundleReference,
  Cancellation,
  InspectionRequest,
  LimitsWire,
  PROTOCOL_VERSION,
  WorkerRequest,
} from './assignment.ts';
export {
  BUNDLE_CHUNK_BYTES,
  BUNDLE_CHUNK_CHARS,
  BundleChunk,
  BundleRequest,
  MAX_BUNDLE_BYTES,
  MAX_SOURCE_MAP_BYTES,
  WorkerInbound,
} from './bundle.ts';
export { type ErrorCode, type ErrorFacts, errorCodes, errorText, PlatformError } from './error-codes.ts';
export { encodeFrame, FrameError, MAX_FRAME_LINES, splitFrame } from './frame.ts';
export { GuestErrorWire, MAX_MESSAGE_CHARS, RejectionWire, ThrownWire } from './guest-error.ts';
export { GuestPost } from './guest-wire.ts';
export { DEPTH_LEVELS, HELLO_INTERVAL_MS, Hello, WORKER_LOST_MS } from './hello.ts';
export {
  BundleManifest,
  BundleUpload,
  ColumnDefinition,
  IssuedKey,
  NewKey,
  NewUser,
  PlannedChange,
  PushResult,
  Settings,
  StepPatch,
  StepSummary,
  TableDefinition,
} from './http-api.ts';
export {
  Busy,
  DeclaredImage,
  DeclaredStep,
  InspectedType,
  InspectionResult,
  ObservationWire,
  ReceiptWire,
  RunResult,
  StepOutcome,
  WorkerReply,
} from './outcome.ts';
export { ConditionOperator, QueryCondition, ServiceAnswer, ServiceCall, ServiceFault, ServiceRequest } from './service-call.ts';
export {
  type AllowedSubjects,
  answerSubject,
  assignSubject,
  bundleSubject,
  callSubject,
  cancelSubject,
  changedSubject,
  dispatcherSubjects,
  helloSubject,
  helloWildcard,
  poolCrossings,
  resultSubject,
  speakerOf,
  toDispatcherWildcard,
  unheardSubject,
  unheardWildcard,
  type WorkerAddress,
  workerSubjects,
} from './subjects.ts';
export { cleanText } from './text.ts';
