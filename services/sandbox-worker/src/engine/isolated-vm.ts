import { randomBytes } from 'node:crypto';
import { BOUNDARY_GLOBAL, guestRuntimeSource, RUNTIME_FILE } from '@airlock/guest-runtime';
import ivm from 'isolated-vm';
import type { Engine, EntryFailure, Guest, LoadArguments, RunArguments } from './engine.ts';

const MIB = 1024 * 1024;
/** The library refuses less. */
const LEAST_HEAP_MIB = 8;
const BOOT_TIMEOUT_MS = 2_000;

export interface EngineOptions {
  readonly nowMs: () => number;
  /** The engine lost control of an isolate: nothing in this process can be trusted to end any more. */
  readonly onCatastrophe: (reason: 'heap' | 'stuck') => void;
}

const memoryLimit = (heapBytes: number): number => Math.max(LEAST_HEAP_MIB, Math.floor(heapBytes / MIB));

export function createEngine({ nowMs, onCatastrophe }: EngineOptions): Engine {
  // The snapshot holds the runtime and nothing else, made here from our own text (never from a file: facts §3.3, code cache).
  const key = randomBytes(16).toString('hex');
  const snapshot = ivm.Isolate.createSnapshot([{ code: guestRuntimeSource(key), filename: RUNTIME_FILE }], warmUpScript(key));
  const onCatastrophicError = (message: string): void => onCatastrophe(/memory|heap/i.test(message) ? 'heap' : 'stuck');
  const newIsolate = (heapBytes: number, withRuntime: boolean) =>
    new ivm.Isolate({ memoryLimit: memoryLimit(heapBytes), onCatastrophicError, ...(withRuntime ? { snapshot } : {}) });

  return {
    createGuest: (heapBytes) => openGuest(newIsolate(heapBytes, true), key, nowMs),
    syntaxErrorOf: (code, fileName, heapBytes, timeoutMs) => {
      const isolate = newIsolate(heapBytes, false);
      try {
        const context = isolate.createContextSync();
        const script = 'try { new Function("module", "exports", $0); return ""; } catch (error) { return String(error); }';
        if (context.evalClosureSync(script, [code], { timeout: Math.ceil(timeoutMs) }) === '') return undefined;
        // `new Function` does not say where; compiling the same text inside a function expression does.
        isolate.compileScriptSync(`(function (module, exports) {${code}\n})`, {
          filename: fileName,
          columnOffset: -'(function (module, exports) {'.length,
        });
        return `${fileName}: the bundle is not a script`;
      } catch (error) {
        return error instanceof SyntaxError ? error.message : `${fileName}: the bundle could not be parsed`;
      } finally {
        if (!isolate.isDisposed) isolate.dispose();
      }
    },
    evaluateText: (script, texts, heapBytes, timeoutMs) => {
      const isolate = newIsolate(heapBytes, false);
      try {
        const result: unknown = isolate.createContextSync().evalClosureSync(script, [...texts], { timeout: Math.ceil(timeoutMs) });
        return typeof result === 'string' ? result : undefined;
      } catch {
        return undefined;
      } finally {
        if (!isolate.isDisposed) isolate.dispose();
      }
    },
  };
}

/**
 * Runs in a context that is thrown away; what stays in the snapshot is the compiled code of the runtime's functions. Measured: the first
 * run in a fresh isolate takes 0.23 ms with it, 0.65 ms without.
 */
function warmUpScript(key: string): string {
  const code = `module.exports = { typeName: 'Warm', async execute(context) {
    context.executionContext.sharedVariables.warm = 1;
    context.tracing.trace('warm');
    await context.organizationService.retrieve('account', 'warm');
  } };`;
  const limits = { wallMs: 1_000, traceBytes: 1_024, hostCalls: 8, hostCallsInFlight: 8, hostCallBytes: 1_024 };
  const texts = [
    { depth: 1 },
    { inputParameters: {}, outputParameters: {}, sharedVariables: {} },
    { preEntityImages: {}, postEntityImages: {} },
    limits,
  ];
  const seed = '0'.repeat(32);
  const quoted = texts.map((value) => JSON.stringify(JSON.stringify(value))).join(', ');
  return `{
    const boundary = globalThis[${JSON.stringify(BOUNDARY_GLOBAL)}](${JSON.stringify(key)});
    boundary.install(() => {});
    boundary.load(${JSON.stringify(code)}, 'warm.js', 1, '${seed}');
    boundary.types();
    boundary.run('Warm', ${quoted}, 1, '${seed}', 1);
    boundary.deliver(1, true, '{}', 2);
  }`;
}

function openGuest(isolate: ivm.Isolate, key: string, nowMs: () => number): Guest {
  const context = isolate.createContextSync();
  const ask = context.global.getSync(BOUNDARY_GLOBAL, { reference: true });
  const boundary = ask.applySync(undefined, [key], { result: { reference: true }, timeout: BOOT_TIMEOUT_MS }) as ivm.Reference<
    Record<string, unknown>
  >;
  const entry = (name: string): ivm.Reference => boundary.getSync(name, { reference: true }) as ivm.Reference;
  const [install, load, types, run, deliver, rejectCall] = ['install', 'load', 'types', 'run', 'deliver', 'rejectCall'].map(entry) as [
    ivm.Reference,
    ivm.Reference,
    ivm.Reference,
    ivm.Reference,
    ivm.Reference,
    ivm.Reference,
  ];

  const failureOf = (startedMs: number, timeoutMs: number): EntryFailure => {
    if (isolate.isDisposed) return 'heap';
    return nowMs() - startedMs >= timeoutMs - 1 ? 'deadline' : 'failed';
  };
  const enterSync = (target: ivm.Reference, values: readonly (string | number)[], timeoutMs: number) => {
    const startedMs = nowMs();
    try {
      const answer: unknown = target.applySync(undefined, [...values], { timeout: Math.ceil(timeoutMs) });
      return typeof answer === 'string' ? { answer } : { failure: 'failed' as const };
    } catch {
      return { failure: failureOf(startedMs, timeoutMs) };
    }
  };
  /**
   * `apply` on the library's thread pool, not `applySync` on this thread: while a guest runs, what it posts is handed on at once, so the
   * trace it wrote before an uninterruptible loop outlives the SIGKILL. An empty entry costs 100 µs instead of 17 µs; end to end over the
   * bus (prepared, median, noisy machine) that was 1.6 against 1.5 ms inside the worker, less than the trace is worth.
   */
  const enter = async (
    target: ivm.Reference,
    values: readonly (string | number | boolean)[],
    timeoutMs: number,
  ): Promise<EntryFailure | undefined> => {
    const startedMs = nowMs();
    try {
      await target.apply(undefined, values as (string | number | boolean)[], { timeout: Math.ceil(timeoutMs) });
      return undefined;
    } catch {
      return failureOf(startedMs, timeoutMs);
    }
  };

  const guest: Guest = {
    post: () => {},
    load: ({ code, fileName, clockMs, seed }: LoadArguments, timeoutMs) => enterSync(load, [code, fileName, clockMs, seed], timeoutMs),
    types: (timeoutMs) => enterSync(types, [], timeoutMs),
    // Nothing runs, so there is no call to answer: the runtime ignores it.
    prime: (timeoutMs) => enter(deliver, [0, true, '', 0], timeoutMs),
    run: (r: RunArguments, timeoutMs) =>
      enter(run, [r.typeName, r.stageContextJson, r.stateJson, r.ownJson, r.limitsJson, r.startMs, r.seed, r.nowMs], timeoutMs),
    deliver: (callId, ok, text, now, timeoutMs) => enter(deliver, [callId, ok, text, now], timeoutMs),
    rejectCall: (callId, message, now, timeoutMs) => enter(rejectCall, [callId, message, now], timeoutMs),
    heapBytes: () => {
      if (isolate.isDisposed) return 0;
      const { used_heap_size: used, externally_allocated_size: external } = isolate.getHeapStatisticsSync();
      return used + external;
    },
    dispose: () => {
      if (!isolate.isDisposed) isolate.dispose();
    },
  };
  // The one host function that a guest gets; it returns nothing and cannot throw into the guest.
  const send = new ivm.Callback(
    (kind: unknown, id: unknown, text: unknown) => {
      if (typeof kind === 'string' && typeof id === 'number' && typeof text === 'string') guest.post(kind, id, text);
    },
    { ignored: true },
  );
  install.applySync(undefined, [send], { timeout: BOOT_TIMEOUT_MS });
  return guest;
}
