import { type AssignedStep, MAX_FETCHES, type ObservationWire, type ReceiptWire, type StepOutcome, ThrownWire } from '@airlock/protocol';
import type { ChildMessage } from './child-message.ts';
import { isJsonWithinDepth } from './json-depth.ts';
import type { SandboxProcess } from './sandbox-process.ts';
import { collectTrace } from './trace-text.ts';
import type { Overrun, Watch } from './watch.ts';

/** Why the supervisor ended an execution itself. */
export type StopCause = Overrun | 'cancelled' | 'shutting-down' | 'host-calls';

/** Both go to the dispatcher with the execution's token: a service call, or a request to another host. */
export type CallVerb = 'call' | 'fetch';

export interface ExecutionOptions {
  readonly step: AssignedStep;
  readonly child: SandboxProcess;
  readonly stageContextJson: string;
  readonly stateJson: string;
  readonly ownJson: string;
  /** The step's own wall limit or what is left of the run's budget. */
  readonly wallMs: number;
  readonly reuse: boolean;
  readonly watch: Watch;
  readonly nowMs: () => number;
  /** Publishes a call of the guest with the execution's own token; the child never sees that. */
  readonly publishCall: (verb: CallVerb, callId: number, requestJson: string) => void;
}

export interface ExecutionResult {
  readonly outcome: StepOutcome;
  /** `StageState` JSON of a guest when the step succeeded. */
  readonly stateJson: string | undefined;
  /** May run again: it did nothing worse than throw. */
  readonly childUsable: boolean;
}

export interface Execution {
  readonly stop: (cause: StopCause) => void;
  readonly answer: (callId: number, ok: boolean, text: string) => void;
}

const MAX_JSON_DEPTH = 64;
/** More trace than any honest guest runtime streams, in multiples of the limit: the child is not what we started. */
const TRACE_FLOOD_FACTOR = 8;
const TRACE_FLOOD_FLOOR = 1024 * 1024;

export const quietObservation: ObservationWire = {
  deadlineFired: false,
  cpuLimitFired: false,
  residentLimitFired: false,
  heapExhausted: false,
  hostCallLimitFired: false,
  childDied: false,
  shuttingDown: false,
};

const observed = {
  deadline: { deadlineFired: true },
  cpu: { cpuLimitFired: true },
  resident: { residentLimitFired: true },
  // The dispatcher's own clock ran out: it no longer waits for anything.
  cancelled: { deadlineFired: true },
  'shutting-down': { shuttingDown: true },
  'host-calls': { hostCallLimitFired: true },
} as const satisfies Record<StopCause, Partial<ObservationWire>>;

type EndMessage = Extract<ChildMessage, { kind: 'end' }>;

/**
 * Runs one step in a child and tells `onResult` once what came of it.
 *
 *   running ──end message──────────────▶ ended
 *      │ ╲──stop / violation──▶ killed ──pipe closed (≤ 0.5 s)──▶ ended
 *      ╰────pipe closed by itself──────▶ ended (childDied)
 */
export function startExecution(options: ExecutionOptions, onResult: (result: ExecutionResult) => void): Execution {
  const { step, child, watch, nowMs } = options;
  const { limits } = step;
  child.executions += 1;
  const run = child.executions;
  const startedMs = nowMs();
  const trace = collectTrace(limits.traceBytes);
  const outstanding = new Set<number>();
  let hostCalls = 0;
  let hostCallBytes = 0;
  let fetches = 0;
  let stopped: Partial<ObservationWire> | undefined;
  let ended = false;

  const conclude = (seen: Partial<ObservationWire>, message: EndMessage | undefined, stateJson: string | undefined): void => {
    if (ended) return;
    ended = true;
    const peak = unwatch();
    child.listener = undefined;
    const use = message?.use;
    const receipt: ReceiptWire = {
      wallMs: nowMs() - startedMs,
      // The child's own figures are finer; where it was watched long enough, what was seen from outside is the floor.
      cpuMs: Math.max(peak.cpuMs, use?.cpuMs ?? 0),
      heapBytes: use?.heapBytes ?? 0,
      residentBytes: Math.max(peak.residentBytes, use?.residentBytes ?? 0),
      hostCalls: Math.max(hostCalls, Math.min(use?.hostCalls ?? 0, limits.hostCalls)),
      hostCallBytes,
      start: use?.start ?? 'cold',
    };
    const observation = { ...quietObservation, ...seen };
    const childUsable = message !== undefined && (message.end === 'done' || message.end === 'thrown') && !child.killed;
    onResult({ outcome: { executionId: step.executionId, token: step.token, observation, receipt, ...trace.finish() }, stateJson, childUsable });
  };

  /** Kill first, report when the pipe has given up the last trace. */
  const kill = (seen: Partial<ObservationWire>): void => {
    if (ended || stopped !== undefined) return;
    stopped = seen;
    child.kill();
  };

  const onCall = (verb: CallVerb, callId: number, [, request, ...more]: readonly string[]): void => {
    if (stopped !== undefined) return;
    if (request === undefined || more.length > 0) return kill({ protocolViolation: 'a service call is one line' });
    hostCalls += 1;
    const bytes = Buffer.byteLength(request);
    hostCallBytes += bytes;
    if (hostCalls > limits.hostCalls) return kill(observed['host-calls']);
    if (outstanding.has(callId)) return kill({ protocolViolation: 'a call id was used twice' });
    outstanding.add(callId);
    if (outstanding.size > limits.hostCallsInFlight)
      return kill({ protocolViolation: 'more host calls at once than the guest runtime lets through' });
    if (bytes > limits.hostCallBytes) return kill({ protocolViolation: 'a service call is larger than the guest runtime lets through' });
    if (!isJsonWithinDepth(request, MAX_JSON_DEPTH)) return kill({ protocolViolation: 'a service call is nested too deeply or is not JSON' });
    if (verb === 'fetch') fetches += 1;
    if (fetches > MAX_FETCHES && verb === 'fetch') return refuseFetch(callId);
    options.publishCall(verb, callId, request);
  };

  /** The guest runtime does not count these apart, so an honest one gets here: an error in the plug-in, not the end of it. */
  const refuseFetch = (callId: number): void => {
    outstanding.delete(callId);
    child.send({ kind: 'answer', run, callId, ok: false }, JSON.stringify({ message: `one execution makes at most ${MAX_FETCHES} requests` }));
  };

  const onEnd = (message: EndMessage, lines: readonly string[]): void => {
    const [, line = ''] = lines;
    if (lines.length > 2) return kill({ protocolViolation: 'the end is one line' });
    switch (message.end) {
      case 'done':
        return conclude({}, message, line);
      case 'thrown':
        return conclude({ thrown: parseThrown(line) }, message, undefined);
      case 'heap':
        return conclude({ heapExhausted: true }, message, undefined);
      case 'deadline':
        return conclude({ deadlineFired: true }, message, undefined);
      case 'host-calls':
        return conclude({ hostCallLimitFired: true }, message, undefined);
      case 'protocol':
        return conclude({ protocolViolation: message.detail }, message, undefined);
      default:
        message.end satisfies never;
    }
  };

  const onMessage = (message: ChildMessage, lines: readonly string[]): void => {
    if (ended) return;
    if (message.kind === 'fatal') return kill(message.reason === 'heap' ? { heapExhausted: true } : { deadlineFired: true });
    if (!('run' in message) || message.run !== run) return kill({ protocolViolation: `an unexpected message: ${message.kind}` });
    if (message.kind === 'trace') {
      trace.add(message.text);
      if (trace.receivedBytes() > limits.traceBytes * TRACE_FLOOD_FACTOR + TRACE_FLOOD_FLOOR) kill({ protocolViolation: 'a flood of trace' });
    } else if (message.kind === 'call' || message.kind === 'fetch') onCall(message.kind, message.callId, lines);
    else if (message.kind === 'end') {
      // Once it is being killed for passing a limit, what it says of its own end no longer counts.
      if (stopped === undefined) onEnd(message, lines);
    } else kill({ protocolViolation: `an unexpected message: ${message.kind}` });
  };

  child.listener = {
    onMessage,
    onGone: () => conclude(stopped ?? { childDied: true }, undefined, undefined),
    onViolation: (detail) => {
      stopped ??= { protocolViolation: detail };
    },
  };
  const unwatch = watch.add({
    usage: child.usage,
    deadlineAtMs: startedMs + options.wallMs,
    cpuMs: limits.cpuMs,
    residentBytes: limits.residentBytes,
    onOverrun: (overrun) => kill(observed[overrun]),
  });
  // It may have died between two steps, when nobody listened.
  if (child.gone) queueMicrotask(() => conclude({ childDied: true }, undefined, undefined));
  sendRun(options, run);

  return {
    stop: (cause) => kill(observed[cause]),
    answer: (callId, ok, text) => {
      if (ended || stopped !== undefined || !outstanding.delete(callId)) return;
      hostCallBytes += Buffer.byteLength(text);
      child.send({ kind: 'answer', run, callId, ok }, text);
    },
  };
}

function sendRun({ step, child, stageContextJson, stateJson, ownJson, wallMs, reuse }: ExecutionOptions, run: number): void {
  const { limits } = step;
  child.send(
    {
      kind: 'run',
      run,
      digest: step.bundle.digest,
      typeName: step.typeName,
      startMs: step.startMs,
      seed: step.seed,
      heapBytes: limits.heapBytes,
      wallMs,
      traceBytes: limits.traceBytes,
      hostCalls: limits.hostCalls,
      hostCallsInFlight: limits.hostCallsInFlight,
      hostCallBytes: limits.hostCallBytes,
      reuse,
    },
    stageContextJson,
    stateJson,
    ownJson,
  );
}

function parseThrown(line: string): ThrownWire {
  try {
    return ThrownWire.catch('unreadable').parse(JSON.parse(line));
  } catch {
    return 'unreadable';
  }
}
