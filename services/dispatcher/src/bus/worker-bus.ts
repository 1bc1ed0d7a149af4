import { timingSafeEqual } from 'node:crypto';
import type { BundleDigest } from '@airlock/pipeline';
import {
  answerSubject,
  assignSubject,
  type Cancellation,
  cancelSubject,
  encodeFrame,
  FetchCall,
  Hello,
  helloWildcard,
  PROTOCOL_VERSION,
  type ServiceAnswer,
  ServiceCall,
  speakerOf,
  toDispatcherWildcard,
  unheardSubject,
  unheardWildcard,
  type WorkerAddress,
  WorkerReply,
} from '@airlock/protocol';
import type { Logger } from '@airlock/telemetry';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { BundleDesk } from './bundle-desk.ts';
import { CallQueue, MAX_CALLS_WAITING } from './call-queue.ts';
import { FetchDesk } from './fetch-desk.ts';
import { randomText } from './random-text.ts';
import { readFrame, type Verb } from './read-frame.ts';
import type { RunEnd, RunOrder, ServiceReply } from './run-order.ts';
import { Expected, WorkerConduct } from './worker-conduct.ts';
import { type Slot, type SlotAnswer, WorkerDirectory } from './worker-directory.ts';

/** A frame as it came, its envelope not yet checked against a schema; `points` is what it costs the worker when it is refused. */
interface Inbound {
  readonly envelope: unknown;
  readonly lines: readonly string[];
  readonly points: number;
}

interface ActiveRun {
  readonly order: RunOrder;
  readonly slot: Slot;
  readonly end: (end: RunEnd | 'busy') => void;
  /** Made by the first call: aborting it makes an error with a stack, and most runs make no call (measured: 90 µs of a short run). */
  over: AbortController | undefined;
  /** By execution id. */
  readonly calls: Map<string, CallQueue>;
}

const MAX_CALLS = 10_000;
/** Points that a lie about an execution costs: no honest worker tells a single one. */
const LIE = 20;
/** Points for a run that was taken and never answered, while the worker says that it is well. */
const SILENCE = 40;
const POINT_BYTES = 16 * 1024;
/** Beyond the worker's own clocks, for the way there and back. */
const RESULT_GRACE_MS = 5_000;
/** Longest wait at a worker of a run that was sent ahead: part of the grace. */
const QUEUE_MS = 1_000;

export const newId = () => randomText(16, 'base64url');
export const newToken = () => randomText(32, 'base64url');

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
  readonly conduct: WorkerConduct;
  readonly #options: WorkerBusOptions;
  readonly #runs = new Map<string, ActiveRun>();
  readonly #byExecution = new Map<string, ActiveRun>();
  readonly #desk: BundleDesk;
  readonly #fetches = new FetchDesk();
  readonly #expected = new Expected();

  constructor(options: WorkerBusOptions) {
    this.#options = options;
    const { connection, dispatcherId } = options;
    this.directory = new WorkerDirectory(
      () => performance.now(),
      (worker, incarnation) => this.#workerLost(worker, incarnation),
    );
    this.conduct = new WorkerConduct({ clock: () => performance.now(), log: options.log, onQuarantine: (worker) => this.directory.gone(worker) });
    this.#desk = new BundleDesk({
      conduct: this.conduct,
      isEntitled: (worker, digest) => this.#runsOf(worker).some((run) => run.order.digests.includes(digest)),
      readBundle: options.readBundle,
      answer: (worker, frame) => connection.publish(answerSubject(worker), frame),
      onProblem: ({ pool, workerId }, error) => options.log.warn({ err: error, pool, workerId }, 'a bundle request could not be answered'),
    });
    this.#listen('hello', helloWildcard, (worker, { envelope }) => this.#onHello(worker, envelope));
    this.#listen('result', toDispatcherWildcard('result', dispatcherId), (worker, message) => this.#onResult(worker, message));
    this.#listen('call', toDispatcherWildcard('call', dispatcherId), (worker, message) => this.#onCall(worker, message));
    this.#listen('fetch', toDispatcherWildcard('fetch', dispatcherId), (worker, message) => this.#onFetch(worker, message));
    this.#listen('bundle', toDispatcherWildcard('bundle', dispatcherId), (worker, { envelope }) => this.#desk.request(worker, envelope));
    // The server itself answers here when nobody listens on a worker's subject: quicker than its silence.
    connection.subscribe(unheardWildcard(dispatcherId), {
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
  async #take(
    { pool, depth, digest, signal, ahead = 0 }: RunOrder,
    when: { readonly waitMs: number; readonly since: number },
  ): Promise<SlotAnswer | undefined> {
    if (signal?.aborted === true) return undefined;
    const taking = this.directory.take({ pool, depth, digest, ahead, ...when });
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
    const run: ActiveRun = { order, slot, end: resolve, over: undefined, calls: new Map() };
    this.#runs.set(runId, run);
    for (const executionId of order.executions.keys()) this.#byExecution.set(executionId, run);
    const timer = setTimeout(() => {
      this.#cancel(slot.worker, runId);
      this.conduct.offend(slot.worker, 'no answer', { points: SILENCE, detail: `the run ${runId}` });
      this.#expectLate(runId, run);
      resolve({ kind: 'worker-lost', worker: slot.worker });
    }, order.budgetMs + RESULT_GRACE_MS);
    const abandon = (): void => {
      this.#cancel(slot.worker, runId);
      this.#expectLate(runId, run);
      resolve({ kind: 'cancelled' });
    };
    order.signal?.addEventListener('abort', abandon);
    try {
      const envelope = {
        ...order.envelope,
        version: PROTOCOL_VERSION,
        runId,
        dispatcherId: this.#options.dispatcherId,
        budgetMs: order.budgetMs,
        ...(order.ahead !== undefined && order.ahead > 0 && { queueMs: QUEUE_MS }),
      };
      this.#options.connection.publish(assignSubject(slot.worker), encodeFrame([JSON.stringify(envelope), ...order.lines]), {
        reply: unheardSubject(this.#options.dispatcherId, runId),
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
      for (const executionId of order.executions.keys()) {
        this.#byExecution.delete(executionId);
        this.#fetches.forget(executionId);
      }
      slot.release();
      // A call that is being served still uses the operation's connection: nobody else may have it before the call has ended.
      run.over?.abort();
      await Promise.all([...run.calls.values()].map(({ settled }) => settled));
    }
  }

  #cancel(worker: WorkerAddress, runId: string): void {
    const cancellation: Cancellation = { version: PROTOCOL_VERSION, kind: 'cancel', runId, reason: 'the dispatcher waits no longer' };
    this.#options.connection.publish(cancelSubject(worker), JSON.stringify(cancellation));
  }

  /** The first check of all: a worker in quarantine costs a look-up, and nothing of what it sent is read. */
  #listen(verb: Verb, subject: string, handle: (worker: WorkerAddress, message: Inbound) => void): void {
    this.#options.connection.subscribe(subject, {
      callback: (error: Error | null, message: Msg) => {
        if (error !== null) {
          this.#options.log.error({ err: error, subject }, 'the bus does not let this dispatcher listen; its key is not that of a dispatcher');
          return;
        }
        const worker = speakerOf(message.subject);
        if (worker === undefined || !this.conduct.admits(worker, verb)) return;
        const points = 1 + message.data.byteLength / POINT_BYTES;
        try {
          handle(worker, { ...readFrame(verb, message.data), points });
        } catch (problem) {
          this.conduct.offend(worker, 'unreadable', { points, detail: `${verb}: ${problem instanceof Error ? problem.message : 'no message'}` });
        }
      },
    });
  }

  #runsOf(worker: WorkerAddress): readonly ActiveRun[] {
    return [...this.#runs.values()].filter((run) => isSame(run.slot.worker, worker));
  }

  /** The worker may have answered, or asked, before it heard of the end. */
  #expectLate(runId: string, { order, slot }: ActiveRun): void {
    this.#expected.expect(runId, slot.worker, 1);
    for (const executionId of order.executions.keys()) this.#expected.expect(executionId, slot.worker, MAX_CALLS_WAITING);
  }

  #onHello(worker: WorkerAddress, envelope: unknown): void {
    if (this.directory.heard(worker, Hello.parse(envelope))) return;
    this.conduct.offend(worker, 'too many requests', { points: 0, detail: `the pool ${worker.pool} has as many workers as it may` });
  }

  #unheard(message: Msg): void {
    if (message.headers?.code !== 503) return;
    const run = this.#runs.get(message.subject.slice(message.subject.lastIndexOf('.') + 1));
    if (run === undefined) return;
    // Nothing ran: another worker may take it.
    run.end('busy');
    this.directory.gone(run.slot.worker);
  }

  /** Our own connection broke and is back. A result, a call or an answer may have been lost with it: nobody would send it again. */
  connectionRenewed(): void {
    for (const [runId, run] of this.#runs) this.#lose(runId, run);
  }

  #workerLost(worker: WorkerAddress, incarnation: string): void {
    for (const [runId, run] of this.#runs) {
      if (isSame(run.slot.worker, worker) && run.slot.incarnation === incarnation) this.#lose(runId, run);
    }
  }

  /** Only the bus between us may be gone: the client keeps the cancellation for when it is back, and the slot is not held until the step's limit. */
  #lose(runId: string, run: ActiveRun): void {
    this.#cancel(run.slot.worker, runId);
    this.#expectLate(runId, run);
    run.end({ kind: 'worker-lost', worker: run.slot.worker });
  }

  #onResult(worker: WorkerAddress, { envelope, lines, points }: Inbound): void {
    const reply = WorkerReply.parse(envelope);
    const run = this.#runs.get(reply.runId);
    if (run === undefined) {
      if (!this.#expected.take(reply.runId, worker)) this.conduct.offend(worker, 'not entitled', { points, detail: `no run ${reply.runId}` });
      return;
    }
    if (!isSame(run.slot.worker, worker))
      return this.conduct.offend(worker, 'not entitled', { points: LIE, detail: `the run ${reply.runId} is not its own` });
    if (reply.kind === 'busy') return run.end('busy');
    const claims = reply.kind === 'ran' ? reply.outcomes : [{ executionId: reply.runId, token: reply.token }];
    const genuine = claims.every(({ executionId, token }) => {
      const expected = reply.kind === 'ran' ? run.order.executions.get(executionId) : [...run.order.executions.values()][0];
      return expected !== undefined && sameToken(expected, token);
    });
    if (!genuine) return this.conduct.offend(worker, 'not entitled', { points: LIE, detail: `a result of ${reply.runId} without its token` });
    this.conduct.deliver(worker);
    this.directory.delivered(worker);
    run.end({ kind: 'replied', reply, state: lines[0], worker });
  }

  /** The run for which a worker may speak by what it sent; a lie counts against it. */
  #runOf(worker: WorkerAddress, call: ServiceCall | FetchCall, points: number): ActiveRun | undefined {
    const run = this.#byExecution.get(call.executionId);
    const expected = run?.order.executions.get(call.executionId);
    if (run === undefined || expected === undefined) {
      if (!this.#expected.take(call.executionId, worker))
        this.conduct.offend(worker, 'not entitled', { points, detail: `no execution ${call.executionId}` });
      return undefined;
    }
    if (isSame(run.slot.worker, worker) && sameToken(expected, call.token)) return run;
    this.conduct.offend(worker, 'not entitled', { points: LIE, detail: `a ${call.kind} for ${call.executionId} without its token` });
    return undefined;
  }

  #answerCall(worker: WorkerAddress, { executionId, callId }: ServiceCall | FetchCall, { ok, text }: ServiceReply): void {
    const answer: ServiceAnswer = { version: PROTOCOL_VERSION, kind: 'answer', executionId, callId, ok };
    this.#options.connection.publish(answerSubject(worker), encodeFrame([JSON.stringify(answer), text]));
  }

  #onFetch(worker: WorkerAddress, { envelope, lines, points }: Inbound): void {
    const call = FetchCall.parse(envelope);
    const run = this.#runOf(worker, call, points);
    const onFetch = run?.order.onFetch;
    if (run === undefined || onFetch === undefined) return;
    const taken = this.#fetches.request(call.executionId, call.callId, async () => {
      try {
        this.#answerCall(worker, call, await onFetch(call.executionId, lines[0] ?? '', signalOf(run)));
      } catch (error) {
        this.#options.log.error({ err: error, executionId: call.executionId }, 'a request of a plug-in could not be answered');
      }
    });
    if (!taken) this.conduct.offend(worker, 'too many requests', { points, detail: `requests of ${call.executionId}` });
  }

  #onCall(worker: WorkerAddress, { envelope, lines, points }: Inbound): void {
    const call = ServiceCall.parse(envelope);
    const request = lines[0] ?? '';
    const run = this.#runOf(worker, call, points);
    if (run === undefined) return;
    const calls = run.calls.get(call.executionId) ?? new CallQueue();
    run.calls.set(call.executionId, calls);
    const taken = calls.take(call.callId, run.order.maxCalls ?? MAX_CALLS, () => this.#serve(worker, run, call, request));
    if (taken !== 'taken')
      this.conduct.offend(worker, 'too many requests', { points, detail: `call ${call.callId} of ${call.executionId}: ${taken}` });
  }

  async #serve(worker: WorkerAddress, run: ActiveRun, call: ServiceCall, request: string): Promise<void> {
    // The run may have ended while this call waited for those before it.
    if (this.#byExecution.get(call.executionId) !== run) return;
    try {
      this.#answerCall(worker, call, await run.order.onCall(call.executionId, request, signalOf(run)));
    } catch (error) {
      this.#options.log.error({ err: error, executionId: call.executionId }, 'a service call could not be answered');
    }
  }
}

function signalOf(run: ActiveRun): AbortSignal {
  run.over ??= new AbortController();
  return run.over.signal;
}

function isSame(a: WorkerAddress, b: WorkerAddress): boolean {
  return a.workerId === b.workerId && a.pool === b.pool;
}

function sameToken(expected: string, given: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
