import type { Fault } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import type { Logger, TraceContext } from '@airlock/telemetry';
import { FaultError } from './data-request.ts';
import { faultOfCode, faultOfError, faultResponse, type HttpAnswer } from './fault-response.ts';
import type { HttpLimits } from './limits.ts';

export interface ErrorContext {
  readonly trace: TraceContext;
  readonly annotations: readonly string[];
  readonly limits: HttpLimits;
  /** Body bytes that this route takes. */
  readonly bodyBytes: number;
  readonly logger: Logger;
}

/** Whatever a request ended with, as an answer. What nobody foresaw is logged with its reference and shown without words of its own. */
export function answerOfError(error: unknown, context: ErrorContext): HttpAnswer {
  const fault = faultOf(error, context);
  const asked = error instanceof PlatformError ? error.facts['retryAfterSeconds'] : undefined;
  const retryAfterSeconds = typeof asked === 'number' ? asked : context.limits.retryAfterSeconds;
  return faultResponse(fault, { annotations: context.annotations, retryAfterSeconds });
}

function faultOf(error: unknown, { trace, bodyBytes, logger }: ErrorContext): Fault {
  if (error instanceof FaultError) return error.fault;
  const known = faultOfError(error, trace) ?? faultOfHttp(error, bodyBytes, trace);
  if (known !== undefined) return known;
  const fault = faultOfCode('UNEXPECTED', {}, trace);
  logger.error({ err: error, traceId: trace.traceId, reference: fault.reference }, 'a request failed unexpectedly');
  return fault;
}

/** Errors of the HTTP server itself, told apart by their codes. */
function faultOfHttp(error: unknown, bodyBytes: number, trace: TraceContext): Fault | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string' || !error.code.startsWith('FST_ERR_')) return undefined;
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return faultOfCode('PAYLOAD_TOO_LARGE', { limit: bodyBytes }, trace);
  const isCallersFault = 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500;
  return isCallersFault ? faultOfCode('PAYLOAD_INVALID', { problem: 'the request could not be read; check its headers.' }, trace) : undefined;
}
