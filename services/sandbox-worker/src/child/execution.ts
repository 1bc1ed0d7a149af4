import { answerCrypto, MAX_TIMER_MS } from '@airlock/guest-runtime';
import type { Engine, EntryFailure, Guest } from '../engine/engine.ts';
import type { ChildUse, EndKind, FromChild, RunOrder } from '../pipe/messages.ts';
import type { Bundles } from './bundles.ts';

/** A trace record longer than this is cut here: escaped it must fit into a frame. */
const MAX_TRACE_CHARS = 200_000;

export interface ExecutionHost {
  readonly bundles: Bundles;
  readonly engine: Engine;
  readonly nowMs: () => number;
  readonly send: (message: FromChild, ...lines: readonly string[]) => void;
  /** Isolates of stateless bundles that ran before. */
  readonly kept: Map<string, Guest>;
}

export interface RunningExecution {
  readonly run: number;
  readonly answer: (callId: number, ok: boolean, text: string) => void;
}

const endOf = { heap: 'heap', deadline: 'deadline', failed: 'protocol' } as const satisfies Record<EntryFailure, EndKind>;

const MAX_KEPT = 8;

/** The one used longest ago makes room. */
function keepGuest(kept: Map<string, Guest>, digest: string, guest: Guest): void {
  kept.delete(digest);
  kept.set(digest, guest);
  if (kept.size <= MAX_KEPT) return;
  const [oldest] = kept;
  if (oldest === undefined) return;
  kept.delete(oldest[0]);
  oldest[1].dispose();
}

/** Runs one step of one plug-in in an isolate. Ends with exactly one `end` message. */
export function startExecution(order: RunOrder, lines: readonly string[], host: ExecutionHost, onEnd: () => void): RunningExecution {
  const { nowMs, send } = host;
  const { run } = order;
  const startedAt = nowMs();
  const usageBefore = process.resourceUsage();
  const timers = new Set<NodeJS.Timeout>();
  let hostCalls = 0;
  let entered = 0;
  let over = false;
  let ending: { readonly end: EndKind; readonly detail: string; readonly line: string } | undefined;

  const clock = (): number => order.startMs + Math.floor(nowMs() - startedAt);
  const leftMs = (): number => Math.max(1, Math.ceil(order.wallMs - (nowMs() - startedAt)));

  const { guest, start, failure } = open();

  function open(): { guest?: Guest; start: ChildUse['start']; failure?: { end: EndKind; detail: string; line: string } } {
    const kept = order.reuse ? host.kept.get(order.digest) : undefined;
    if (kept !== undefined) return { guest: kept, start: 'reused' };
    const waiting = host.bundles.take(order.digest, order.heapBytes);
    if (waiting !== undefined) return { guest: waiting, start: 'prepared' };
    const bundle = host.bundles.get(order.digest);
    if (bundle === undefined) return { start: 'cold', failure: { end: 'protocol', detail: 'the sandbox process has no such bundle', line: '' } };
    const opened = host.bundles.open(bundle, order.heapBytes, leftMs());
    if ('guest' in opened) return { guest: opened.guest, start: 'cold' };
    if ('failure' in opened) return { start: 'cold', failure: { end: endOf[opened.failure], detail: 'while the bundle was loaded', line: '' } };
    return { start: 'cold', failure: { end: 'thrown', detail: opened.broke, line: JSON.stringify(opened.thrown) } };
  }

  const use = (): ChildUse => {
    const now = process.resourceUsage();
    const cpuMs = (now.userCPUTime - usageBefore.userCPUTime + now.systemCPUTime - usageBefore.systemCPUTime) / 1_000;
    return { start, heapBytes: guest?.heapBytes() ?? 0, cpuMs, residentBytes: now.maxRSS * 1_024, hostCalls };
  };

  const finish = ({ end, detail, line }: { readonly end: EndKind; readonly detail: string; readonly line: string }): void => {
    if (over) return;
    over = true;
    for (const timer of timers) clearTimeout(timer);
    const healthy = end === 'done' || end === 'thrown';
    send({ kind: 'end', run, end, detail, use: use() }, line);
    onEnd();
    if (guest === undefined) return;
    guest.post = () => {};
    if (healthy && order.reuse) keepGuest(host.kept, order.digest, guest);
    else if (healthy) guest.dispose();
  };

  /** An end counts once the guest has left the isolate: code that runs on after it is still under the deadline. */
  const settle = (): void => {
    if (ending !== undefined && entered === 0) finish(ending);
  };
  const enter = (entry: Promise<EntryFailure | undefined>): void => {
    entered += 1;
    void entry.then((failed) => {
      entered -= 1;
      // `failed` alone is a rejection that the guest never awaited: the library makes it the result of whatever call came next. The guest's own
      // account says how it ended; if it never gives one, the deadline does.
      if (failed === 'heap' || failed === 'deadline') finish({ end: endOf[failed], detail: 'an entry into the guest did not return', line: '' });
      else settle();
    });
  };
  const answer = (callId: number, ok: boolean, text: string): void => {
    if (!over && guest !== undefined) enter(guest.deliver(callId, ok, text, clock(), leftMs()));
  };

  const armTimer = (callId: number, text: string): void => {
    const { ms } = JSON.parse(text) as { ms: number };
    const dueMs = Math.min(MAX_TIMER_MS, Math.max(0, ms));
    const dueAt = clock() + dueMs;
    const timer = setTimeout(() => {
      timers.delete(timer);
      // Node's timers may be a millisecond early; the guest's clock must never show that.
      if (!over && guest !== undefined) enter(guest.deliver(callId, true, '', Math.max(clock(), Math.ceil(dueAt)), leftMs()));
    }, dueMs);
    timers.add(timer);
  };

  const call = (kind: 'service' | 'timer' | 'crypto' | 'fetch', callId: number, text: string): void => {
    hostCalls += 1;
    if (hostCalls > order.hostCalls) finish({ end: 'host-calls', detail: '', line: '' });
    else if (kind === 'service') send({ kind: 'call', run, callId }, text);
    else if (kind === 'fetch') send({ kind: 'fetch', run, callId }, text);
    else if (kind === 'timer') armTimer(callId, text);
    else answerCryptoCall(callId, text);
  };
  const answerCryptoCall = (callId: number, text: string): void => {
    // Trusted code over a guest's text: whatever it does, the guest gets an answer and this process goes on.
    Promise.resolve()
      .then(() => answerCrypto(text))
      .then((result) => answer(callId, true, result))
      .catch(() => {
        if (!over && guest !== undefined) enter(guest.rejectCall(callId, 'The operation failed.', clock(), leftMs()));
      });
  };

  const onPost = (kind: string, id: number, text: string): void => {
    if (over || ending !== undefined) return;
    if (kind === 'trace') {
      send({ kind: 'trace', run, text: text.length > MAX_TRACE_CHARS ? `${text.slice(0, MAX_TRACE_CHARS)}…` : text });
      return;
    }
    if (text.includes('\n')) finish({ end: 'protocol', detail: 'the guest posted a raw line feed', line: '' });
    else if (kind === 'service' || kind === 'timer' || kind === 'crypto' || kind === 'fetch') call(kind, id, text);
    else if (kind === 'done' || kind === 'thrown') ending = { end: kind, detail: '', line: text };
    else if (kind === 'limit') ending = { end: 'host-calls', detail: '', line: '' };
    else finish({ end: 'protocol', detail: 'the guest posted an unknown kind', line: '' });
    settle();
  };

  if (guest === undefined) {
    finish(failure ?? { end: 'protocol', detail: 'no isolate', line: '' });
    return { run, answer };
  }
  guest.post = onPost;
  const [, stageContextJson = '', stateJson = '', ownJson = ''] = lines;
  const { wallMs, traceBytes, hostCalls: mayCall, hostCallsInFlight, hostCallBytes } = order;
  const limitsJson = JSON.stringify({ wallMs, traceBytes, hostCalls: mayCall, hostCallsInFlight, hostCallBytes });
  const { typeName, startMs, seed } = order;
  enter(guest.run({ typeName, stageContextJson, stateJson, ownJson, limitsJson, startMs, seed, nowMs: clock() }, leftMs()));
  return { run, answer };
}
