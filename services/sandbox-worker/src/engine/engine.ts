/**
 * The one door to the JavaScript engine of the guests. Only `isolated-vm.ts` knows the library: it is in maintenance
 * mode, and whatever replaces it has to offer just this.
 */
export type Post = (kind: string, id: number, text: string) => void;

/** Why an entry into a guest did not return. The reason comes from what the engine knows, never from a message. */
export type EntryFailure = 'heap' | 'deadline' | 'failed';

export interface RunArguments {
  readonly typeName: string;
  readonly stageContextJson: string;
  readonly stateJson: string;
  readonly ownJson: string;
  readonly limitsJson: string;
  readonly startMs: number;
  readonly seed: string;
  readonly nowMs: number;
}

export interface LoadArguments {
  readonly code: string;
  readonly fileName: string;
  readonly clockMs: number;
  readonly seed: string;
}

/**
 * One isolate with the guest runtime in it. Every method that runs guest code has a timeout and resolves to `undefined` when it
 * returned, or to the reason why it did not; the isolate is then of no more use.
 */
export interface Guest {
  /** Where posts go from now on. */
  post: Post;
  /** `LoadAnswer` as JSON text. */
  readonly load: (bundle: LoadArguments, timeoutMs: number) => { readonly answer: string } | { readonly failure: EntryFailure };
  /** `TypesAnswer` as JSON text. */
  readonly types: (timeoutMs: number) => { readonly answer: string } | { readonly failure: EntryFailure };
  /**
   * Enters once without running any guest code, so that the engine has done what the first entry of an isolate costs (measured: a fifth of
   * the first run).
   */
  readonly prime: (timeoutMs: number) => Promise<EntryFailure | undefined>;
  readonly run: (run: RunArguments, timeoutMs: number) => Promise<EntryFailure | undefined>;
  readonly deliver: (callId: number, ok: boolean, text: string, nowMs: number, timeoutMs: number) => Promise<EntryFailure | undefined>;
  readonly rejectCall: (callId: number, message: string, nowMs: number, timeoutMs: number) => Promise<EntryFailure | undefined>;
  readonly heapBytes: () => number;
  readonly dispose: () => void;
}

export interface Engine {
  readonly createGuest: (heapBytes: number) => Guest;
  /** Says where the text of a bundle is not JavaScript: `name:line:column` and the message; `undefined` when it is. */
  readonly syntaxErrorOf: (code: string, fileName: string, heapBytes: number, timeoutMs: number) => string | undefined;
  /** Evaluates a script of ours over text of others in an isolate of its own: its last value, a string. */
  readonly evaluateText: (script: string, argument: readonly string[], heapBytes: number, timeoutMs: number) => string | undefined;
}
