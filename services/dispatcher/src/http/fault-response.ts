import type { Fault } from '@airlock/pipeline';
import { type ErrorCode, type ErrorFacts, errorCodes, errorText, PlatformError } from '@airlock/protocol';
import type { TraceContext } from '@airlock/telemetry';
import { wantsAnnotation } from './preferences.ts';
import { referenceOf } from './request-trace.ts';

/**
 * The one place where a fault becomes an HTTP answer. Rule (web-api, error contract): the body is
 * `{"error":{"code","message"}}`; what a caller asks for with `Prefer: odata.include-annotations` stands beside them, every
 * value a string; the trace id is always in a header.
 */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export const JSON_TYPE = 'application/json; odata.metadata=minimal';

const DETAILS = 'Microsoft.PowerApps.CDS.ErrorDetails.';

export interface FaultResponseOptions {
  readonly annotations: readonly string[];
  readonly retryAfterSeconds: number;
}

export function faultResponse(fault: Fault, { annotations, retryAfterSeconds }: FaultResponseOptions): HttpAnswer {
  const error: Record<string, string> = { code: fault.code, message: fault.message };
  for (const [name, value] of annotationsOf(fault)) {
    if (value !== undefined && wantsAnnotation(annotations, name)) error[`@${name}`] = value;
  }
  const headers: Record<string, string> = { 'Content-Type': JSON_TYPE, 'x-airlock-trace-id': fault.traceId };
  if (fault.httpStatus === 401) headers['WWW-Authenticate'] = 'Bearer realm="airlock"';
  if (fault.retriable) headers['Retry-After'] = String(retryAfterSeconds);
  return { status: statusOf(fault.httpStatus), headers, body: JSON.stringify({ error }) };
}

function annotationsOf(fault: Fault): (readonly [string, string | undefined])[] {
  const { operationStatus, subErrorCode, exceptionDetails, traceText, innerErrorMessage } = fault.details ?? {};
  return [
    [`${DETAILS}OperationStatus`, operationStatus?.toString()],
    [`${DETAILS}SubErrorCode`, subErrorCode?.toString()],
    ...Object.entries(exceptionDetails ?? {}).map(([key, value]) => [`${DETAILS}${key}`, value] as const),
    ['Microsoft.PowerApps.CDS.HelpLink', helpLinkOf(fault.code)],
    ['Microsoft.PowerApps.CDS.TraceText', traceText],
    ['Microsoft.PowerApps.CDS.InnerError.Message', innerErrorMessage ?? fault.message],
    ['Airlock.TraceId', fault.traceId],
    ['Airlock.Reference', fault.reference],
    ['Airlock.Retriable', String(fault.retriable)],
  ];
}

function helpLinkOf(code: string): string | undefined {
  return code === ''
    ? undefined
    : `http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a${code.replace(/^0x/, '')}&client=platform`;
}

/** A plug-in may choose the status of its rejection; only one that means failure leaves the server. */
function statusOf(asked: number): number {
  return Number.isInteger(asked) && asked >= 400 && asked <= 599 ? asked : 400;
}

/** A registered error as a fault of this request. */
export function faultOfCode(code: ErrorCode, facts: ErrorFacts, trace: TraceContext): Fault {
  const registered = errorCodes[code];
  const reference = referenceOf(trace);
  return {
    code: registered.code,
    httpStatus: registered.http,
    message: errorText(code, { reference, ...facts }),
    retriable: 'retriable' in registered,
    traceId: trace.traceId,
    reference,
  };
}

/** `undefined` for anything but a {@link PlatformError}: the caller logs it and answers `UNEXPECTED`. */
export function faultOfError(error: unknown, trace: TraceContext): Fault | undefined {
  return error instanceof PlatformError ? faultOfCode(error.code, error.facts, trace) : undefined;
}
