import type { GuestLimits, PostKind, Send } from '../boundary.ts';
import { advanceClock, elapsedMs } from './clock.ts';
import { longerThan, mapDelete, mapGet, mapSet, SafeError, SafeMap, SafeRangeError } from './primordials.ts';
import { createTrace, flushTrace, type Trace, writeTrace } from './trace.ts';

/** How a host call ended: an answer, a fault of the service, or a refusal of the host with its public text. */
export type CallEnd = { readonly kind: 'answer' | 'fault' | 'refused'; readonly text: string };
export type CallKind = 'service' | 'timer' | 'crypto' | 'fetch';
type Settle = (end: CallEnd) => void;

interface QueuedCall {
  readonly kind: CallKind;
  readonly text: string;
  readonly settle: Settle;
}

/** One run of one plug-in type. Everything that is handed to the guest closes over its own, so that nothing outlives it. */
export interface Execution {
  readonly limits: GuestLimits;
  readonly trace: Trace;
  ended: boolean;
  hostCalls: number;
  inFlight: number;
  lastCallId: number;
  readonly open: Map<number, { readonly kind: CallKind; readonly settle: Settle }>;
  readonly queue: Map<number, QueuedCall>;
  queueHead: number;
  queueTail: number;
}

/** The one host function. Only ever called directly, never stored on an object and never passed on: nothing in the guest can reach it. */
let send: Send | undefined;
let current: Execution | undefined;

export function installSend(given: Send): void {
  if (send === undefined) send = given;
}

function post(kind: PostKind, id: number, text: string): void {
  if (send !== undefined) send(kind, id, text);
}

export function startExecution(limits: GuestLimits): Execution {
  const execution: Execution = {
    limits,
    trace: createTrace(limits.traceBytes, (text) => post('trace', 0, text)),
    ended: false,
    hostCalls: 0,
    inFlight: 0,
    lastCallId: 0,
    open: new SafeMap(),
    queue: new SafeMap(),
    queueHead: 0,
    queueTail: 0,
  };
  if (current !== undefined) current.ended = true;
  current = execution;
  return execution;
}

/** As if nothing had run yet. */
export function forgetExecution(): void {
  current = undefined;
}

export function currentExecution(): Execution | undefined {
  return current;
}

/** The end is accepted once; what comes later changes nothing. */
export function endExecution(execution: Execution, kind: 'done' | 'thrown' | 'limit', text: string): void {
  if (execution.ended) return;
  execution.ended = true;
  flushTrace(execution.trace);
  post(kind, 0, text);
}

export function traceLine(text: string): void {
  if (current !== undefined && !current.ended) writeTrace(current.trace, text);
}

/**
 * Makes a host call, or lets it wait while as many as allowed are under way. `text` is complete, so no guest code runs between the
 * checks and the post. Over the budget of calls the execution ends and the call is never answered.
 */
export function makeCall(execution: Execution, kind: CallKind, text: string, settle: Settle): void {
  if (execution.ended || execution !== current) throw new SafeError('The execution has ended; its services cannot be used any more.');
  if (longerThan(text, execution.limits.hostCallBytes)) {
    throw new SafeRangeError(`A host call may carry ${execution.limits.hostCallBytes} bytes of JSON; this one is larger.`);
  }
  if (execution.hostCalls >= execution.limits.hostCalls) {
    endExecution(execution, 'limit', 'host-calls');
    return;
  }
  execution.hostCalls += 1;
  // Timers are bounded by their own count: waiting ones must not keep service calls from being made.
  if (kind !== 'timer' && execution.inFlight >= execution.limits.hostCallsInFlight) {
    mapSet(execution.queue, execution.queueTail, { kind, text, settle });
    execution.queueTail += 1;
    return;
  }
  postCall(execution, kind, text, settle);
}

function postCall(execution: Execution, kind: CallKind, text: string, settle: Settle): void {
  if (kind !== 'timer') execution.inFlight += 1;
  execution.lastCallId += 1;
  mapSet(execution.open, execution.lastCallId, { kind, settle });
  post(kind, execution.lastCallId, text);
}

function postNextQueued(execution: Execution): void {
  const next = mapGet(execution.queue, execution.queueHead);
  if (next === undefined) return;
  mapDelete(execution.queue, execution.queueHead);
  execution.queueHead += 1;
  postCall(execution, next.kind, next.text, next.settle);
}

/** An answer of the host. Ids that are unknown or already answered are ignored. */
export function settleCall(callId: number, end: CallEnd, nowMs: number): void {
  const execution = current;
  const call = execution === undefined ? undefined : mapGet(execution.open, callId);
  if (execution === undefined || call === undefined || execution.ended) return;
  mapDelete(execution.open, callId);
  advanceClock(nowMs);
  if (call.kind !== 'timer') {
    execution.inFlight -= 1;
    postNextQueued(execution);
  }
  call.settle(end);
}

export function remaining(execution: Execution): { readonly hostCalls: number; readonly ms: number } {
  const { hostCalls, wallMs } = execution.limits;
  return { hostCalls: hostCalls - execution.hostCalls, ms: wallMs > elapsedMs() ? wallMs - elapsedMs() : 0 };
}
