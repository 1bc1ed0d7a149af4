import { BOUNDARY_GLOBAL, type GuestBoundary, type GuestLimits } from '../boundary.ts';
import { installAbort } from './abort.ts';
import { installBase64, takeBase64 } from './base64.ts';
import { lastLoadAnswer, loadBundle, pluginType, typesJson } from './bundle.ts';
import { installClock, installTemporal, startClock } from './clock.ts';
import { installConsole } from './console.ts';
import { type ContextTexts, createContext, stateToReturn } from './context.ts';
import { describeThrown } from './describe.ts';
import { installEvents } from './events.ts';
import { currentExecution, type Execution, endExecution, forgetExecution, installSend, settleCall, startExecution } from './execution.ts';
import { installFetch } from './fetch.ts';
import { hardenContext, leaveStackTraceLimitToV8, lockStackFormat, removeGlobals, wrapArrayBuffer } from './harden.ts';
import { apply, createObject, define, defineFixed, freeze, jsonParse } from './primordials.ts';
import { installRandom, seedRandom } from './random.ts';
import { installRejection } from './rejection.ts';
import { installService } from './service.ts';
import { stateJson } from './state-json.ts';
import { installStructuredClone } from './structured-clone.ts';
import { installCrypto } from './subtle.ts';
import { installTimers } from './timers.ts';
import { installUrl } from './url.ts';

/** Written into the script's text by `guestRuntimeSource`. */
declare const AIRLOCK_KEY: string;

/** What runs first inside an isolate. Order matters: what is removed and locked is so before anything else is made. */
removeGlobals();
lockStackFormat();
wrapArrayBuffer();
installClock();
installRandom();
installRejection();
installService();
installBase64();
installEvents();
installAbort();
installTimers(failCurrent);
installConsole();
installStructuredClone();
installCrypto();
installUrl();
installFetch();
installSmallGlobals();
warmUp();
offerBoundary(AIRLOCK_KEY);

function installSmallGlobals(): void {
  define(globalThis, 'self', globalThis);
  define(globalThis, 'global', globalThis);
  define(globalThis, 'queueMicrotask', (callback: () => unknown) => {
    if (typeof callback !== 'function') throw new TypeError('queueMicrotask: the argument must be a function');
    void runMicrotask(callback);
  });
}

async function runMicrotask(callback: () => unknown): Promise<void> {
  await undefined;
  try {
    callback();
  } catch (error) {
    failCurrent(error);
  }
}

function failCurrent(error: unknown): void {
  const execution = currentExecution();
  if (execution !== undefined && !execution.ended) endExecution(execution, 'thrown', describeThrown(error));
}

/** Calls `execute` and ends the execution. `await` of a native promise uses no method that a guest could replace. */
async function execute(execution: Execution, typeName: string, texts: ContextTexts): Promise<void> {
  try {
    const type = pluginType(typeName);
    const { context, state } = createContext(execution, texts);
    await apply(type.execute, type.self, [context]);
    endExecution(execution, 'done', stateJson(stateToReturn(state), execution.limits.stateBytes));
  } catch (error) {
    endExecution(execution, 'thrown', describeThrown(error));
  }
}

/**
 * One execution without a bundle, whose posts go nowhere: it compiles what every execution needs, so that a snapshot holds the compiled form
 * (the first run after a snapshot took 0.45 ms without it).
 */
function warmUp(): void {
  const limits: GuestLimits = { wallMs: 1, traceBytes: 1_000, hostCalls: 10, hostCallsInFlight: 1, hostCallBytes: 1_000 };
  const texts: ContextTexts = {
    stage: '{"stage":20}',
    state: '{"inputParameters":{"Target":{}},"outputParameters":{},"sharedVariables":{}}',
    own: '{"preEntityImages":{"a":{"b":[1]}},"postEntityImages":{},"configuration":{}}',
  };
  startClock(0, 0);
  seedRandom('00000000000000000000000000000000');
  const execution = startExecution(limits);
  const { context, state } = createContext(execution, texts);
  const { organizationService, tracing } = context as {
    organizationService: { create(table: string, attributes: object): Promise<string> };
    tracing: { trace(text: string): void };
  };
  tracing.trace('warm');
  void organizationService.create('a', {});
  deliver(1, 'answer', '{"id":"a"}', 0);
  stateJson(stateToReturn(state));
  // No bundle is loaded yet, so this ends in a description of that error.
  void execute(execution, 'default', texts);
  forgetExecution();
}

function offerBoundary(key: string): void {
  const boundary = createObject(null) as { -readonly [Name in keyof GuestBoundary]: GuestBoundary[Name] };
  let isInstalled = false;
  boundary.install = (send) => {
    isInstalled = true;
    hardenContext();
    installTemporal();
    takeBase64();
    installSend(send);
  };
  boundary.load = (code, fileName, clockMs, seed) => {
    startClock(clockMs, clockMs);
    seedRandom(seed);
    const answer = loadBundle(code, fileName);
    // Not installed: a snapshot is being made. V8 adds this property to every context from it, and ends the process if it exists.
    if (!isInstalled) leaveStackTraceLimitToV8();
    return answer;
  };
  boundary.loaded = lastLoadAnswer;
  boundary.types = typesJson;
  boundary.run = (typeName, stage, state, own, limitsJson, startMs, seed, nowMs) => {
    startClock(startMs, nowMs);
    seedRandom(seed);
    void execute(startExecution(jsonParse(limitsJson) as GuestLimits), typeName, { stage, state, own });
  };
  boundary.deliver = (callId, ok, text, nowMs) => {
    deliver(callId, ok ? 'answer' : 'fault', text, nowMs);
  };
  boundary.rejectCall = (callId, message, nowMs) => {
    deliver(callId, 'refused', message, nowMs);
  };
  freeze(boundary);
  defineFixed(globalThis, BOUNDARY_GLOBAL, (given: unknown) => (given === key && !isInstalled ? boundary : undefined));
}

function deliver(callId: number, kind: 'answer' | 'fault' | 'refused', text: string, nowMs: number): void {
  try {
    settleCall(callId, { kind, text }, nowMs);
  } catch (error) {
    failCurrent(error);
  }
}
