export {
  BOUNDARY_GLOBAL,
  BUNDLE_LINE_OFFSET,
  type GuestBoundary,
  type GuestLimits,
  type LoadAnswer,
  MAX_TIMER_MS,
  type OwnConfiguration,
  type PostKind,
  RUNTIME_FILE,
  type Send,
  TRACE_STREAM_FACTOR,
  TRACE_STREAM_LINES,
  type TypesAnswer,
} from './boundary.ts';
export { type GuestLoad, guestLoadSource, guestRuntimeSource } from './guest-source.ts';
export { answerCrypto } from './host/crypto.ts';
