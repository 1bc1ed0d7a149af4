import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { BundleDigest } from '@airlock/pipeline';
import {
  answerSubject,
  assignSubject,
  BUNDLE_CHUNK_BYTES,
  BundleRequest,
  type Cancellation,
  cancelSubject,
  encodeFrame,
  Hello,
  helloWildcard,
  PROTOCOL_VERSION,
  type ServiceAnswer,
  ServiceCall,
  speakerOf,
  splitFrame,
  toDispatcherWildcard,
  type WorkerAddress,
  WorkerReply,
} from '@airlock/protocol';
import type { Logger } from '@airlock/telemetry';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { type Slot, type SlotAnswer, WorkerDirectory } from './worker-directory.ts';

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
  /** Execution id → token, for the service calls of the run. */
  readonly executions: ReadonlyMap<string, string>;
  /** `signal` fires when the run is over: what the call still does is for nobody. */
  readonly onCall: (executionId: string, request: string, signal: AbortSignal) => Promise<ServiceReply>;
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

interface ActiveRun {
  readonly order: RunOrder;
  readonly slot: Slot;
  readonly end: (end: RunEnd | 'busy') => void;
  readonly over: AbortController;
  /** Calls of one execution are served one after the other: they share the operation's connection. */
  readonly calls: Map<string, { last: number; tail: Promise<void>; waiting: number }>;
}

/** Calls of one execution that may wait behind each other; the supervisor's own limit is lower. */
const MAX_CALLS_WAITING = 128;
/** Beyond the worker's own clocks, for the way there and back. */
const RESULT_GRACE_MS = 5_000;

export const newId = () => randomBytes(16).toString('base64url');
export const newToken = () => randomBytes(32).toString('base64url');

export interface WorkerBusOptions {
  readonly connection: NatsConnection;
  readonly dispatcherId: string;
  readonly log: Logger;
  readonly readBundle: (digest: BundleDigest, part: 'code' | 'source-map') => Promise<Uint8Array | undefined>;
}

/**
 * Sends runs to workers and answers what they ask meanwhile. One subscription a verb and a map of our own instead of
 * request/reply (measured: 2.5 × the throughput under load). A worker is believed only about runs that it was given, and
 * only with their tokens; answers go to subjects that are computed, never to one that the sender chose.
 */
export class WorkerBus implements Disposable {
  readonly directory: WorkerDirectory;
  readonly #options: WorkerBusOptions;
  readonly #runs = new Map<string, ActiveRun>();
  readonly #byExecution = new Map<string, ActiveRun>();
  readonly #unheardSubject: string;

  constructor(options: WorkerBusOptions) {
    this.#options = options;
    const { connection, dispatcherId } = options;
    this.directory = new WorkerDirectory(
      () => performance.now(),
      (worker, incarnation) => this.#workerLost(worker, incarnation),
    );
    this.#unheardSubject = `airlock.v1.unheard.${dispatcherId}`;
    this.#listen(connection, helloWildcard, (worker, frame) => this.directory.heard(worker, Hello.parse(JSON.parse(frame))));
    this.#listen(connection, toDispatcherWildcard('result', dispatcherId), (worker, frame) => this.#onResult(worker, frame));
    this.#listen(connection, toDispatcherWildcard('call', dispatcherId), (worker, frame) => this.#onCall(worker, frame));
    this.#listen(connection, toDispatcherWildcard('bundle', dispatcherId), (worker, frame) => void this.#onBundle(worker, frame));
    // The server itself answers here when nobody listens on a worker's subject: quicker than its silence.
    connection.subscribe(`${this.#unheardSubject}.*`, {
      callback: (error, message) => {
        if (error === null) this.#unheard(message);
      },
    });
  }

  get running(): number {
    return this.#runs.size;
  }

  /** Never throws for what workers do; every end is a value. */
  async run(order: RunOrder): Promise<RunEnd> {
    const since = performance.now();
    const deadline = since + order.waitMs;
    for (;;) {
      const left = Math.max(0, deadline - performance.now());
      const taken = await this.#take(order, { waitMs: left, since });
      if (taken === undefined) return { kind: 'cancelled' };
      if (taken.slot === undefined) {
        return { kind: 'no-worker', workers: taken.workers, queued: taken.queued, waitedMs: Math.round(performance.now() - since) };
      }
      const end = await this.#assign(order, taken.slot);
      // A busy worker has nothing free until its next hello, so this ends with the time to wait.
      if (end !== 'busy') return end;
    }
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]();
  }

  /** `undefined`: the order was abandoned while it waited. A slot that comes too late goes back. */
  async #take({ pool, depth, digest, signal }: RunOrder, when: { readonly waitMs: number; readonly since: number }): Promise<SlotAnswer | undefined> {
    if (signal?.aborted === true) return undefined;
    const taking = this.directory.take({ pool, depth, digest, ...when });
    if (signal === undefined) return await taking;
    const { promise: abandoned, resolve } = Promise.withResolvers<undefined>();
    const abandon = (): void => resolve(undefined);
    signal.addEventListener('abort', abandon);
    const answer = await Promise.race([taking, abandoned]);
    signal.removeEventListener('abort', abandon);
    if (answer === undefined) void taking.then(({ slot }) => slot?.release());
    return answer;
  }

  async #assign(order: RunOrder, slot: Slot): Promise<RunEnd | 'busy'> {
    const runId = newId();
    const { promise, resolve } = Promise.withResolvers<RunEnd | 'busy'>();
    const run: ActiveRun = { order, slot, end: resolve, over: new AbortController(), calls: new Map() };
    this.#runs.set(runId, run);
    for (const executionId of order.executions.keys()) this.#byExecution.set(executionId, run);
    const timer = setTimeout(() => {
      this.#cancel(slot.worker, runId);
      resolve({ kind: 'worker-lost', worker: slot.worker });
    }, order.budgetMs + RESULT_GRACE_MS);
    const abandon = (): void => {
      this.#cancel(slot.worker, runId);
      resolve({ kind: 'cancelled' });
    };
    order.signal?.addEventListener('abort', abandon);
    try {
      const envelope = { ...order.envelope, version: PROTOCOL_VERSION, runId, dispatcherId: this.#options.dispatcherId, budgetMs: order.budgetMs };
      this.#options.connection.publish(assignSubject(slot.worker), encodeFrame([JSON.stringify(envelope), ...order.lines]), {
        reply: `${this.#unheardSubject}.${runId}`,
      });
      const end = await promise;
      // Before it is given back in general: the next one in the queue would run into the same refusal.
      if (end === 'busy') slot.refuse();
      return end;
    } finally {
      clearTimeout(timer);
      order.signal?.removeEventListener('abort', abandon);
      this.#runs.delete(runId);
      // From here on the executions are unknown: their tokens are dead and late calls are refused.
      for (const executionId of order.executions.keys()) this.#byExecution.delete(executionId);
      slot.release();
      // A call that is being served still uses the operation's connection: nobody else may have it before the call has ended.
      run.over.abort();
      await Promise.all([...run.calls.values()].map(({ tail }) => tail));
    }
  }

  #cancel(worker: WorkerAddress, runId: string): void {
    const cancellation: Cancellation = { version: PROTOCOL_VERSION, kind: 'cancel', runId, reason: 'the dispatcher waits no longer' };
    this.#options.connection.publish(cancelSubject(worker), JSON.stringify(cancellation));
  }

  #listen(connection: NatsConnection, subject: string, handle: (worker: WorkerAddress, frame: string) => void): void {
    connection.subscribe(subject, {
      callback: (error: Error | null, message: Msg) => {
        const worker = error === null ? speakerOf(message.subject) : undefined;
        if (worker === undefined) return;
        try {
          handle(worker, message.string());
        } catch (problem) {
          this.#options.log.warn(
            { pool: worker.pool, workerId: worker.workerId, subject: message.subject, err: problem },
            'a worker sent something unreadable',
          );
        }
      },
    });
  }

  #unheard(message: Msg): void {
    if (message.headers?.code !== 503) return;
    const run = this.#runs.get(message.subject.slice(message.subject.lastIndexOf('.') + 1));
    if (run === undefined) return;
    // Nothing ran: another worker may take it.
    run.end('busy');
    this.directory.gone(run.slot.worker);
  }

  #workerLost(worker: WorkerAddress, incarnation: string): void {
    for (const run of this.#runs.values()) {
      if (isSame(run.slot.worker, worker) && run.slot.incarnation === incarnation) run.end({ kind: 'worker-lost', worker });
    }
  }

  #onResult(worker: WorkerAddress, frame: string): void {
    const [envelope = '', state] = splitFrame(frame);
    const reply = WorkerReply.parse(JSON.parse(envelope));
    const run = this.#runs.get(reply.runId);
    if (run === undefined || !isSame(run.slot.worker, worker)) return;
    if (reply.kind === 'busy') return run.end('busy');
    const claims = reply.kind === 'ran' ? reply.outcomes : [{ executionId: reply.runId, token: reply.token }];
    const genuine = claims.every(({ executionId, token }) => {
      const expected = reply.kind === 'ran' ? run.order.executions.get(executionId) : [...run.order.executions.values()][0];
      return expected !== undefined && sameToken(expected, token);
    });
    if (genuine) run.end({ kind: 'replied', reply, state, worker });
    else
      this.#options.log.warn(
        { pool: worker.pool, workerId: worker.workerId, runId: reply.runId },
        'a result without the token of its execution was ignored',
      );
  }

  #onCall(worker: WorkerAddress, frame: string): void {
    const [envelope = '', request = ''] = splitFrame(frame);
    const call = ServiceCall.parse(JSON.parse(envelope));
    const run = this.#byExecution.get(call.executionId);
    const expected = run?.order.executions.get(call.executionId);
    if (run === undefined || expected === undefined || !isSame(run.slot.worker, worker) || !sameToken(expected, call.token)) {
      this.#options.log.warn(
        { pool: worker.pool, workerId: worker.workerId, executionId: call.executionId },
        'a service call for an execution that is not running there was refused',
      );
      return;
    }
    const calls = run.calls.get(call.executionId) ?? { last: -1, tail: Promise.resolve(), waiting: 0 };
    // A call number is used once: a repeated one is a replay, and must not write twice.
    if (call.callId <= calls.last || calls.waiting >= MAX_CALLS_WAITING) return;
    calls.last = call.callId;
    calls.waiting += 1;
    calls.tail = calls.tail.then(async () => {
      try {
        // The run may have ended while this call waited for those before it.
        if (this.#byExecution.get(call.executionId) !== run) return;
        const { ok, text } = await run.order.onCall(call.executionId, request, run.over.signal);
        const answer: ServiceAnswer = { version: PROTOCOL_VERSION, kind: 'answer', executionId: call.executionId, callId: call.callId, ok };
        this.#options.connection.publish(answerSubject(worker), encodeFrame([JSON.stringify(answer), text]));
      } catch (error) {
        this.#options.log.error({ err: error, executionId: call.executionId }, 'a service call could not be answered');
      } finally {
        calls.waiting -= 1;
      }
    });
    run.calls.set(call.executionId, calls);
  }

  async #onBundle(worker: WorkerAddress, frame: string): Promise<void> {
    try {
      const request = BundleRequest.parse(JSON.parse(frame));
      const entitled = [...this.#runs.values()].some((run) => isSame(run.slot.worker, worker) && run.order.digests.includes(request.digest));
      // The digest is 64 hexadecimal digits: the schema says so.
      const bytes = entitled ? await this.#options.readBundle(request.digest as BundleDigest, request.part) : undefined;
      const chunks = bytes === undefined ? 0 : Math.max(1, Math.ceil(bytes.byteLength / BUNDLE_CHUNK_BYTES));
      const from = request.chunk * BUNDLE_CHUNK_BYTES;
      const data =
        bytes === undefined || request.chunk >= chunks ? '' : Buffer.from(bytes.subarray(from, from + BUNDLE_CHUNK_BYTES)).toString('base64');
      const envelope = { version: PROTOCOL_VERSION, kind: 'bundle-chunk', requestId: request.requestId, chunk: request.chunk, chunks };
      this.#options.connection.publish(answerSubject(worker), encodeFrame([JSON.stringify(envelope), JSON.stringify(data)]));
    } catch (error) {
      this.#options.log.warn({ err: error, pool: worker.pool, workerId: worker.workerId }, 'a bundle request could not be answered');
    }
  }
}

function isSame(a: WorkerAddress, b: WorkerAddress): boolean {
  return a.workerId === b.workerId && a.pool === b.pool;
}

function sameToken(expected: string, given: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
