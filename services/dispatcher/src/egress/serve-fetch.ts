import { randomBytes } from 'node:crypto';
import {
  type EgressHop,
  type EgressRefusal,
  type EgressTarget,
  FetchRequest,
  MAX_EGRESS_BODY_BYTES,
  MAX_EGRESS_HEADER_BYTES,
  MAX_EGRESS_MS,
} from '@airlock/protocol';
import type { Logger } from '@airlock/telemetry';
import type { Queryable } from '../store/queryable.ts';
import type { EgressClient } from './egress-client.ts';
import { targetsOf } from './grants.ts';
import { type EgressCaller, writeLedger } from './ledger.ts';
import { isGranted, type Target, targetOf } from './target.ts';

export interface FetchCall {
  /** `FetchRequest` JSON, a guest's text. */
  readonly text: string;
  readonly caller: EgressCaller;
  /** Most bytes of JSON that one answer may have. */
  readonly hostCallBytes: number;
  /** What is left of the step or of the operation, whichever ends first. */
  readonly leftMs: number;
  /** Fires when the execution that asks has ended. */
  readonly signal: AbortSignal;
}

export interface FetchReply {
  readonly ok: boolean;
  /** `FetchAnswer` JSON, or `{message}`. */
  readonly text: string;
}

export interface FetchDependencies {
  readonly db: Queryable;
  readonly client: EgressClient;
  readonly log: Logger;
}

export type ServeFetch = (call: FetchCall) => Promise<FetchReply>;

/** Room in an answer for everything but its body: status, address, headers, in JSON. */
const ANSWER_ROOM_BYTES = 2 * MAX_EGRESS_HEADER_BYTES + 10 * 1024;

const refusal = (message: string): FetchReply => ({ ok: false, text: JSON.stringify({ message }) });

/**
 * A plug-in's `fetch`. The decision is here: only to hosts that an operator granted to its step. The request itself is made
 * by the egress process, and the answer reaches the plug-in only after the ledger holds what was done. Never throws.
 */
export async function serveFetch(deps: FetchDependencies, call: FetchCall): Promise<FetchReply> {
  try {
    return await decideAndPerform(deps, call);
  } catch (error) {
    deps.log.error({ err: error, traceId: call.caller.traceId }, 'a request of a plug-in could not be served');
    return refusal('the request could not be made because of a problem of the platform; try again');
  }
}

async function decideAndPerform({ db, client }: FetchDependencies, call: FetchCall): Promise<FetchReply> {
  const request = parseRequest(call.text);
  if (typeof request === 'string') return refusal(request);
  const target = targetOf(request.url);
  if (target === undefined) return refusal('the URL is not an absolute https or http address without user information');
  const targets = await targetsOf(db, call.caller.stepId);
  if (!isGranted(target, request.method, targets)) {
    await writeLedger(db, call.caller, [refusedHop(target, request, 'not-granted')]);
    return refusal(`${request.method} ${nameOf(target)} is not granted to this step. ${howToGrant(call, target, request)}`);
  }
  const responseBytes = bodyBytes(call.hostCallBytes);
  if (responseBytes < 1) return refusal('the limit of the step for the bytes of a host call is too low for any answer; raise hostCallBytes');
  const { hops, end } = await client.perform(
    {
      requestId: randomBytes(16).toString('base64url'),
      timeoutMs: Math.max(1, Math.min(MAX_EGRESS_MS, Math.floor(call.leftMs))),
      responseBytes,
      targets: [...targets],
      request,
    },
    call.signal,
  );
  // Also what never reached an egress process is somebody's attempt.
  await writeLedger(db, call.caller, hops.length > 0 || end.ok ? hops : [refusedHop(target, request, end.refusal)]);
  if (end.ok) return { ok: true, text: JSON.stringify(end.answer) };
  const last = hops.at(-1);
  return refusal(
    end.refusal === 'not-granted' && last !== undefined ? `${end.message}. ${howToGrant(call, lastTarget(last), request)}` : end.message,
  );
}

function parseRequest(text: string): FetchRequest | string {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return 'the request is not JSON';
  }
  const parsed = FetchRequest.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') ?? 'the request'}: ${issue?.message ?? 'not valid'}`;
}

/** Base64 makes four characters of three bytes. */
function bodyBytes(hostCallBytes: number): number {
  return Math.min(MAX_EGRESS_BODY_BYTES, Math.floor(((hostCallBytes - ANSWER_ROOM_BYTES) / 4) * 3));
}

const nameOf = ({ scheme, host, port }: Target): string => `${scheme}://${host}:${port}`;
const lastTarget = ({ scheme, host, port }: EgressHop): Target => ({ scheme: scheme === 'http' ? 'http' : 'https', host, port });

function howToGrant({ caller }: FetchCall, { scheme, host, port }: Target, { method }: FetchRequest): string {
  const grant: EgressTarget = { scheme, host, port, methods: [method] };
  return `An operator grants it with POST /api/airlock/v1/steps/${caller.stepId}/egress-grants ${JSON.stringify(grant)}.`;
}

function refusedHop(target: Target, { method }: FetchRequest, why: EgressRefusal): EgressHop {
  return { ...target, host: target.host.slice(0, 255), method, refusal: why, sentBytes: 0, receivedBytes: 0, durationMs: 0 };
}
