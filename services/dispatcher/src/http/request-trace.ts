import { childSpan, newTrace, parseTraceparent, type TraceContext } from '@airlock/telemetry';

/** The trace that the caller started goes on; without a valid `traceparent` a new one starts here. */
export function traceOfRequest(traceparent: string | readonly string[] | undefined): TraceContext {
  const parent = typeof traceparent === 'string' ? parseTraceparent(traceparent) : undefined;
  return parent === undefined ? newTrace() : childSpan(parent);
}

/** The short form for people of an error that no plug-in step caused; it begins the trace id, so either finds the other. */
export function referenceOf(trace: TraceContext): string {
  return trace.traceId.slice(0, 8);
}
