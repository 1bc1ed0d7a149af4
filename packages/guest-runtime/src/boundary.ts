/**
 * The boundary between the engine (the sandbox process) and the guest runtime (what boots inside an isolate before any
 * guest code). Only strings, numbers and booleans cross it; the one host function that enters is `send`.
 *
 * Life of an isolate:
 *  1. The engine makes a random `key` and evaluates `guestRuntimeSource(key)` in a fresh context, or puts it as the first script
 *     into `Isolate.createSnapshot([{ code }])`. The script captures no host function, so a snapshot may also hold a loaded bundle: second script
 *     `guestLoadSource(key, code, fileName, clockMs, seed)`.
 *  2. The engine takes the functions: `context.global.getSync(BOUNDARY_GLOBAL, { reference: true })`, applied to `[key]` with
 *     `{ result: { reference: true } }`, gives a reference to a `GuestBoundary`; `getSync(name, { reference: true })` on that gives
 *     each function. The global can be neither replaced nor (without the key, which no guest can read) asked; it answers until `install` was called.
 *  3. `install(send)`, `load(…)` (unless the snapshot did), `types()` or `run(…)`, then `deliver(…)`/`rejectCall(…)` for every call posted.
 *
 * Every function here runs guest code, so every one is applied with a `timeout`, and none lets a guest's throw out: whatever it has to
 * say is its answer or a post. An apply that rejects all the same was timed out, ran out of memory, lost its isolate, or met a promise that guest code
 * rejected and left alone: isolated-vm then rejects the apply with the guest's value, whatever the run posted. So what it rejects with is a guest's word: never
 * decide by its text, use the clock, `isolate.isDisposed` and the posts; and where `done` was posted, it stands.
 *
 * A snapshot with a bundle is to be tried once (isolate and context made from it) in a process that may die: V8 ends the process when a snapshot lacks `Atomics`
 * or holds unchangeable what V8 adds to every context (`Error.stackTraceLimit`, Temporal, WebAssembly …). Such a bundle is loaded without a snapshot.
 * What is prepared for a run should have called `types()` once, which takes the reading of the exports off the critical path.
 */
export const BOUNDARY_GLOBAL = '__airlock';

/** File name of the runtime in stack traces; the runtime takes its own frames out of what it describes. */
export const RUNTIME_FILE = 'airlock:guest-runtime';

/** `new Function` puts this many lines before the bundle's first: subtract them before a source map is asked. Columns are exact. */
export const BUNDLE_LINE_OFFSET = 2;

/** Milliseconds a guest may ask a timer for at most, whatever its limits say. */
export const MAX_TIMER_MS = 120_000;

/**
 * Kinds of posts. `send` must be an `ivm.Callback` with `ignored: true`; the runtime calls it as `send(kind, id, text)`:
 *
 * | kind      | id      | text                                                                                                            |
 * | --------- | ------- | --------------------------------------------------------------------------------------------------------------- |
 * | `trace`   | 0       | one trace line (may hold line feeds), not cleaned, cut to the trace budget                                       |
 * | `service` | call id | `ServiceRequest` JSON                                                                                            |
 * | `timer`   | call id | `{"ms":n}`, 0 ≤ n ≤ `MAX_TIMER_MS`; answer by `deliver(id, true, '', nowMs)` when due (never before)            |
 * | `crypto`  | call id | request JSON for `answerCrypto` of this package; its answer text goes to `deliver(id, true, text, nowMs)`       |
 * | `fetch`   | call id | `FetchRequest` JSON; the answer's text is `FetchAnswer` JSON, or `{message}` when it is not `ok`                  |
 * | `done`    | 0       | the end, good: the `StageState` JSON                                                                             |
 * | `thrown`  | 0       | the end, bad: `ThrownWire` JSON                                                                                  |
 * | `limit`   | 0       | `host-calls`: the guest asked for more host calls than it may make; end the execution. Nothing follows it.       |
 *
 * Call ids start at 1 in every run and grow by one. Of `done`, `thrown` and `limit` a run posts exactly one, and nothing after it;
 * the engine takes the first and drops everything later all the same.
 */
export type PostKind = 'trace' | 'service' | 'timer' | 'crypto' | 'fetch' | 'done' | 'thrown' | 'limit';
export type Send = (kind: PostKind, id: number, text: string) => void;

/** `limitsJson` of a run: pipeline's `StepLimits` (others of its members are ignored) and two caps of the runtime itself. */
export interface GuestLimits {
  readonly wallMs: number;
  readonly traceBytes: number;
  readonly hostCalls: number;
  /** Further calls wait inside the guest until one of these is answered. */
  readonly hostCallsInFlight: number;
  readonly hostCallBytes: number;
  /** `StageState` JSON handed back, in UTF-8 bytes; 786 432 when absent. */
  readonly stateBytes?: number;
  /** Timers armed at once; 100 when absent. */
  readonly timers?: number;
}

/**
 * Trace policy. The guest posts lines as they are written, each cut to `traceBytes`, until it posted `4 × traceBytes` or 2 000 lines; from then on
 * it keeps only the newest `traceBytes / 2` and posts them directly before `done`, `thrown` or `limit`, after a line that counts what was left out.
 * The supervisor keeps head and tail of what it receives: `traceBytes` in all.
 */
export const TRACE_STREAM_FACTOR = 4;
export const TRACE_STREAM_LINES = 2_000;

/** Answer of `load`, as JSON text. `thrown` is `ThrownWire` of protocol. A syntax error's line is not in it: compile the text once more by the engine to learn it. */
export type LoadAnswer = { readonly ok: true } | { readonly ok: false; readonly broke: 'not-parseable' | 'throws-at-load'; readonly thrown: unknown };

/** Answer of `types`, as JSON text: what the bundle exports; `steps` as declared, unchecked; `hasExecute` false: no type, the bundle is to be refused. */
export type TypesAnswer =
  | { readonly ok: true; readonly types: readonly { readonly typeName: string; readonly hasExecute?: boolean; readonly steps: readonly unknown[] }[] }
  | { readonly ok: false; readonly thrown: unknown };

/** What `BOUNDARY_GLOBAL` answers to the right key. */
export interface GuestBoundary {
  /** Once. Before it, posts are dropped. */
  install(send: Send): void;
  /**
   * Evaluates a CommonJS bundle (`module`, `exports` in scope; no `require`). `clockMs` and `seed` (32 hexadecimal digits) are what its top-level code
   * sees as time and randomness. Host calls are refused and timers never fire while it loads.
   */
  load(code: string, fileName: string, clockMs: number, seed: string): string;
  /** `LoadAnswer` of the load that the snapshot did, or `''` when none was done. */
  loaded(): string;
  types(): string;
  /**
   * Starts `execute` of a plug-in type. `startMs` is the execution's clock at its start (what `Date.now()` says first), `nowMs` in `deliver` and here is on the same
   * clock (pass `startMs` when nothing else is known); time inside the guest moves only by it, and never backwards. Returns at once; the end is a post.
   * A second run in the same isolate is allowed after the end of the first: what the first kept of its services is dead.
   */
  run(
    typeName: string,
    stageContextJson: string,
    stateJson: string,
    ownJson: string,
    limitsJson: string,
    startMs: number,
    seed: string,
    nowMs: number,
  ): void;
  /**
   * Answers a call. `service`: `ok` and the result's JSON text, or not `ok` and `ServiceFault` JSON. `timer`: `ok`, text ignored. `crypto`: `ok` and the
   * text of `answerCrypto`. Unknown, answered and stale ids are ignored.
   */
  deliver(callId: number, ok: boolean, answerJson: string, nowMs: number): void;
  /** The call could not be made or answered at all (budget, shutdown, protocol): the guest sees an `Error` with this public text. */
  rejectCall(callId: number, message: string, nowMs: number): void;
}

/** `ownJson` of a run: pipeline's `OwnContext` with the step's configuration beside it. */
export interface OwnConfiguration {
  readonly configuration: { readonly unsecure: string; readonly secure: string };
}
