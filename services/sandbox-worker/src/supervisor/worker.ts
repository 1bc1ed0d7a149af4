import {
  Cancellation,
  DEPTH_LEVELS,
  encodeFrame,
  FrameError,
  type Hello,
  PROTOCOL_VERSION,
  splitFrame,
  WorkerInbound,
  WorkerRequest,
} from '@airlock/protocol';
import type { Logger } from '@airlock/telemetry';
import type { BundleStore } from '../bundles/bundle-store.ts';
import type { Blame } from './blame.ts';
import type { Execution } from './execution.ts';
import { startInspection } from './inspection.ts';
import type { ChildPool } from './pool.ts';
import { busyFrame, type Run, startRun } from './run-assignment.ts';
import { WaitingRoom } from './waiting-room.ts';
import type { Watch } from './watch.ts';

export interface WorkerOptions {
  readonly capacity: number;
  readonly allowReuse: boolean;
  readonly pool: ChildPool;
  readonly bundles: BundleStore;
  readonly watch: Watch;
  readonly nowMs: () => number;
  readonly log: Logger;
  readonly blame: Blame;
  /** What every hello says of this process. */
  readonly identity: Pick<Hello, 'incarnation' | 'layers' | 'jitless' | 'nodeVersion' | 'machine'>;
  readonly publish: {
    readonly hello: (frame: string) => void;
    readonly result: (dispatcherId: string, frame: string) => void;
    readonly call: (dispatcherId: string, frame: string) => void;
    readonly fetch: (dispatcherId: string, frame: string) => void;
  };
}

export interface Worker {
  readonly onAssign: (frame: string) => void;
  readonly onCancel: (frame: string) => void;
  readonly onAnswer: (frame: string) => void;
  readonly hello: () => void;
  /** Takes no more work and resolves when nothing runs; what runs after `deadlineMs` is killed. */
  readonly drain: (deadlineMs: number) => Promise<void>;
}

/** Accepts work while a slot of its depth is free: an operation only ever waits for deeper ones, so no level can starve another. */
export function createWorker(options: WorkerOptions): Worker {
  const { capacity, pool, bundles, log, publish } = options;
  const runs = new Map<string, Run>();
  const executions = new Map<string, Execution>();
  const running = new Array<number>(DEPTH_LEVELS).fill(0);
  let draining = false;
  const deps = { ...options, executions, publishCall: publish.call, publishFetch: publish.fetch, publishResult: publish.result };

  const hello = (): void => {
    const message: Hello = {
      version: PROTOCOL_VERSION,
      kind: 'hello',
      ...options.identity,
      capacity,
      free: running.map((count) => Math.max(0, capacity - count)),
      draining,
      warm: pool.warm(),
      children: pool.size(),
      isolationMode: 2,
      kills: { ...pool.kills, throttled: options.blame.refused() },
    };
    publish.hello(encodeFrame([JSON.stringify(message)]));
  };

  /** Whoever listens on the bus may send anything: a message that does not parse is dropped with a line in the log. */
  const read = <T>(subject: string, frame: string, parse: (lines: readonly string[]) => T): T | undefined => {
    try {
      return parse(splitFrame(frame));
    } catch (error) {
      log.warn({ subject, problem: error instanceof FrameError ? error.message : 'not a valid message' }, 'a message on the bus was dropped');
      return undefined;
    }
  };

  const levelOf = (request: WorkerRequest): number => (request.kind === 'run' ? Math.min(request.depth, DEPTH_LEVELS) : 1) - 1;
  const refuse = (request: WorkerRequest): void => publish.result(request.dispatcherId, busyFrame(request.runId, draining));
  // Those that waited leave a quarter of four slots and more to those that cannot: somebody waits in front of a synchronous step.
  const ofWaiting = capacity - Math.floor(capacity / 4);
  const room = new WaitingRoom({
    nowMs: options.nowMs,
    refuse: ({ request }) => refuse(request),
    start: ({ request, lines }) => {
      if ((running[levelOf(request)] ?? 0) >= ofWaiting) return 'no-slot';
      begin(request, lines);
      return 'started';
    },
  });

  const accept = (request: WorkerRequest, lines: readonly string[]): void => {
    if (draining) return refuse(request);
    // The same run twice is the same run: a dispatcher that is not sure repeats itself.
    if (runs.has(request.runId) || room.has(request.runId)) return;
    const taken = running[levelOf(request)] ?? 0;
    const mayWait = request.kind === 'run' && request.queueMs !== undefined;
    if (taken >= (mayWait ? ofWaiting : capacity)) {
      if (!mayWait || !room.add(request, lines)) refuse(request);
      return;
    }
    begin(request, lines);
  };

  const begin = (request: WorkerRequest, lines: readonly string[]): void => {
    const level = levelOf(request);
    if (request.kind === 'run' && lines.length !== 3 + request.steps.length) {
      log.warn({ runId: request.runId, lines: lines.length }, 'an assignment with the wrong number of lines was dropped');
      return;
    }
    running[level] = (running[level] ?? 0) + 1;
    const run = request.kind === 'run' ? startRun(request, lines, deps) : startInspection(request, deps);
    runs.set(request.runId, run);
    const end = (): void => {
      runs.delete(request.runId);
      const wasFull = running[level] === capacity;
      running[level] = (running[level] ?? 1) - 1;
      room.serve();
      if (wasFull && (running[level] ?? 0) < capacity) hello();
    };
    run.ended.then(end, (error: unknown) => {
      log.error({ err: error, runId: request.runId }, 'a run ended with a defect of the worker');
      end();
    });
  };

  return {
    hello,
    onAssign: (frame) => {
      const request = read('assign', frame, (lines) => ({ message: WorkerRequest.parse(JSON.parse(lines[0] ?? '')), lines }));
      if (request !== undefined) accept(request.message, request.lines);
    },
    onCancel: (frame) => {
      const message = read('cancel', frame, (lines) => Cancellation.parse(JSON.parse(lines[0] ?? '')));
      if (message === undefined) return;
      room.cancel(message.runId);
      runs.get(message.runId)?.stop('cancelled');
    },
    onAnswer: (frame) => {
      const inbound = read('answer', frame, (lines) => ({ message: WorkerInbound.parse(JSON.parse(lines[0] ?? '')), line: lines[1] ?? 'null' }));
      if (inbound === undefined) return;
      const { message, line } = inbound;
      if (message.kind === 'answer') executions.get(message.executionId)?.answer(message.callId, message.ok, line);
      else {
        const text = read('answer', line, ([chunk]) => JSON.parse(chunk ?? '""') as unknown);
        bundles.onChunk(message.requestId, message.chunk, message.chunks, typeof text === 'string' ? text : '');
      }
    },
    drain: async (deadlineMs) => {
      draining = true;
      hello();
      room.refuseAll();
      room[Symbol.dispose]();
      const timer = setTimeout(() => {
        for (const run of runs.values()) run.stop('shutting-down');
      }, deadlineMs);
      // Bounded: after the deadline every run is killed, and a killed run ends.
      while (runs.size > 0) await Promise.allSettled([...runs.values()].map((run) => run.ended));
      clearTimeout(timer);
    },
  };
}
