import { randomBytes } from 'node:crypto';

/** W3C trace context. `sampled` travels on; Airlock itself decides nothing by it. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the span that continues the trace. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

export function newTrace(): TraceContext {
  const bytes = randomBytes(24);
  return { traceId: bytes.toString('hex', 0, 16), spanId: bytes.toString('hex', 16, 24), sampled: true };
}

export function childSpan(of: TraceContext): TraceContext {
  return { ...of, spanId: randomBytes(8).toString('hex') };
}

/** `undefined` for anything that is not a valid version-00 traceparent (all-zero ids included). */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  const match = header === undefined ? null : TRACEPARENT.exec(header);
  if (match === null) return undefined;
  const [, traceId = '', spanId = '', flags = '00'] = match;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
