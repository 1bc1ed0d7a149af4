import { randomUUID } from 'node:crypto';
import type { RequestId } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { formatTraceparent, type TraceContext } from '@airlock/telemetry';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../execute-message/message.ts';
import { traceOfRequest } from './request-trace.ts';
import { type RequestTarget, targetOf } from './request-url.ts';

/** What is known of a request from its headers on. */
export interface Session {
  readonly trace: TraceContext;
  readonly requestId: RequestId;
  readonly target: RequestTarget;
  readonly startedAtMs: number;
  caller: Caller | undefined;
}

export function newSession(request: FastifyRequest, { nowMs }: { readonly nowMs: () => number }): Session {
  return {
    trace: traceOfRequest(request.headers['traceparent']),
    // A fresh random id of our own making.
    requestId: randomUUID() as string as RequestId,
    target: targetOf(request.originalUrl),
    startedAtMs: nowMs(),
    caller: undefined,
  };
}

export function commonHeaders({ trace, requestId }: Session): Record<string, string> {
  return {
    'OData-Version': '4.0',
    traceparent: formatTraceparent(trace),
    'x-airlock-trace-id': trace.traceId,
    'x-ms-service-request-id': requestId,
    REQ_ID: requestId,
    'X-Content-Type-Options': 'nosniff',
  };
}

export function callerOf({ caller }: Session): Caller {
  if (caller === undefined) throw new PlatformError('NOT_AUTHENTICATED');
  return caller;
}
