import type { WorkerAddress, WorkerReply } from '@airlock/protocol';

/** What a run is made of; the bus adds who and where. */
export interface RunOrder {
  readonly pool: string;
  readonly depth: number;
  /** For the choice of a worker that has it warm. */
  readonly digest: string;
  /** Every bundle the worker may ask for because of this run. */
  readonly digests: readonly string[];
  /** Envelope of the request, without what the bus fills in. */
  readonly envelope: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
  /** Longest wait for a worker to take it, and then for its result. */
  readonly waitMs: number;
  readonly budgetMs: number;
  /** Runs for each slot that may wait at the worker; 0 or absent: only for a slot that is free. */
  readonly ahead?: number;
  /** Execution id → token, for the service calls of the run. */
  readonly executions: ReadonlyMap<string, string>;
  /** Service calls that one execution of the run may make; the supervisor counts too, but a worker may be somebody else's. */
  readonly maxCalls?: number;
  /** `signal` fires when the run is over: what the call still does is for nobody. */
  readonly onCall: (executionId: string, request: string, signal: AbortSignal) => Promise<ServiceReply>;
  /** A request of a plug-in to another host; absent where there is no plug-in that runs. */
  readonly onFetch?: (executionId: string, request: string, signal: AbortSignal) => Promise<ServiceReply>;
  /** Ends the run early: the execution whose service call caused it is over. */
  readonly signal?: AbortSignal;
}

export interface ServiceReply {
  readonly ok: boolean;
  /** JSON text without raw line feeds. */
  readonly text: string;
}

export type RunEnd =
  | {
      readonly kind: 'replied';
      readonly reply: Exclude<WorkerReply, { kind: 'busy' }>;
      readonly state: string | undefined;
      readonly worker: WorkerAddress;
    }
  | { readonly kind: 'no-worker'; readonly workers: number; readonly queued: number; readonly waitedMs: number }
  | { readonly kind: 'worker-lost'; readonly worker: WorkerAddress }
  | { readonly kind: 'cancelled' };
