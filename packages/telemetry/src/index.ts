export { createLogger, type Logger } from './logger.ts';
export { childSpan, formatTraceparent, newTrace, parseTraceparent, type TraceContext } from './trace-context.ts';
