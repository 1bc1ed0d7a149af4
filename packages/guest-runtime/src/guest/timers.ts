import { MAX_TIMER_MS } from '../boundary.ts';
import { currentMs } from './clock.ts';
import { currentExecution, type Execution, makeCall } from './execution.ts';
import { define, mapDelete, mapForEach, mapGet, mapSet, mapSize, SafeError, SafeMap, SafeTypeError } from './primordials.ts';

/**
 * Timers of the guest. The host is asked only for the earliest moment that is not yet asked for, so a hundred timers that are cleared again cost one
 * host call. They fire in order of their due time, then of their making, and only in the answer to such a call.
 */
interface Timer {
  readonly id: number;
  dueMs: number;
  readonly everyMs: number | undefined;
  readonly callback: (...args: unknown[]) => unknown;
  readonly args: readonly unknown[];
}

const DEFAULT_TIMERS = 100;

interface Timers {
  readonly execution: Execution;
  readonly armed: Map<number, Timer>;
  /** Moments asked of the host and not yet come, by call number. */
  readonly asked: Map<number, number>;
  lastAsked: number;
}

let timers: Timers | undefined;
let lastId = 0;

function timersOf(execution: Execution): Timers {
  if (timers === undefined || timers.execution !== execution) {
    timers = { execution, armed: new SafeMap(), asked: new SafeMap(), lastAsked: 0 };
  }
  return timers;
}

function delayOf(value: unknown): number {
  const ms = Number(value);
  if (!(ms > 0)) return 0;
  return ms > MAX_TIMER_MS ? MAX_TIMER_MS : Math.ceil(ms);
}

export function arm(callback: unknown, delay: unknown, everyMs: 'once' | 'again', args: readonly unknown[]): number {
  if (typeof callback !== 'function') throw new SafeTypeError('A timer needs a function to call.');
  const ms = delayOf(delay);
  lastId += 1;
  const execution = currentExecution();
  // While a bundle loads (or after the end) there is nobody to wake it: the timer is accepted and never fires.
  if (execution === undefined || execution.ended) return lastId;
  const list = timersOf(execution);
  const most = execution.limits.timers ?? DEFAULT_TIMERS;
  if (mapSize(list.armed) >= most) throw new SafeError(`At most ${most} timers can be armed at once.`);
  const every = everyMs === 'again' ? (ms < 1 ? 1 : ms) : undefined;
  mapSet(list.armed, lastId, { id: lastId, dueMs: currentMs() + ms, everyMs: every, callback: callback as Timer['callback'], args });
  askForEarliest(list);
  return lastId;
}

export function disarm(id: unknown): void {
  if (timers !== undefined && typeof id === 'number') mapDelete(timers.armed, id);
}

function earliest(list: Timers): Timer | undefined {
  let first: Timer | undefined;
  mapForEach(list.armed, (timer) => {
    if (first === undefined || timer.dueMs < first.dueMs || (timer.dueMs === first.dueMs && timer.id < first.id)) first = timer;
  });
  return first;
}

function askForEarliest(list: Timers): void {
  const next = earliest(list);
  if (next === undefined) return;
  let isAsked = false;
  mapForEach(list.asked, (dueMs) => {
    if (dueMs <= next.dueMs) isAsked = true;
  });
  if (isAsked) return;
  const dueMs = next.dueMs;
  const wait = dueMs - currentMs();
  list.lastAsked += 1;
  const number = list.lastAsked;
  mapSet(list.asked, number, dueMs);
  makeCall(list.execution, 'timer', `{"ms":${wait > 0 ? Math.ceil(wait) : 0}}`, () => {
    mapDelete(list.asked, number);
    fireDue(list, dueMs);
  });
}

/** `promisedMs`: the host answers when this moment came, even if its clock, rounded, says a little less. */
function fireDue(list: Timers, promisedMs: number): void {
  const now = currentMs() > promisedMs ? currentMs() : promisedMs;
  const due: Timer[] = [];
  mapForEach(list.armed, (timer) => {
    if (timer.dueMs <= now) due.push(timer);
  });
  due.sort((one, other) => one.dueMs - other.dueMs || one.id - other.id);
  for (const timer of due) fire(list, timer, now);
  if (!list.execution.ended) askForEarliest(list);
}

function fire(list: Timers, timer: Timer, now: number): void {
  if (list.execution.ended || mapGet(list.armed, timer.id) !== timer) return;
  if (timer.everyMs === undefined) mapDelete(list.armed, timer.id);
  else timer.dueMs = now + timer.everyMs;
  try {
    timer.callback(...timer.args);
  } catch (error) {
    reportError(error);
  }
}

/** What a timer's callback throws ends the execution, as an uncaught exception ends a program. */
let reportError: (error: unknown) => void = () => undefined;

export function installTimers(onUncaught: (error: unknown) => void): void {
  reportError = onUncaught;
  define(globalThis, 'setTimeout', (callback: unknown, delay?: unknown, ...args: unknown[]) => arm(callback, delay, 'once', args));
  define(globalThis, 'setInterval', (callback: unknown, delay?: unknown, ...args: unknown[]) => arm(callback, delay, 'again', args));
  define(globalThis, 'clearTimeout', disarm);
  define(globalThis, 'clearInterval', disarm);
}
