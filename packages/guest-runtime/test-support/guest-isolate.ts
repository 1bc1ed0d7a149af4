import ivm from 'isolated-vm';
import {
  answerCrypto,
  BOUNDARY_GLOBAL,
  type GuestBoundary,
  type GuestLimits,
  guestLoadSource,
  guestRuntimeSource,
  type PostKind,
  RUNTIME_FILE,
} from '../src/index.ts';

export const KEY = 'a-key-only-for-tests-0001';
export const SEED = '000102030405060708090a0b0c0d0e0f';
export const START_MS = Date.UTC(2026, 0, 31, 12);
export const LIMITS: GuestLimits = { wallMs: 2_000, traceBytes: 65_536, hostCalls: 500, hostCallsInFlight: 32, hostCallBytes: 262_144 };

export interface Post {
  readonly kind: PostKind;
  readonly id: number;
  readonly text: string;
}

export type ServiceAnswer = { readonly ok: boolean; readonly text: string } | { readonly refused: string };
export type AnswerService = (request: Record<string, unknown>) => ServiceAnswer | undefined;

export interface GuestRun {
  readonly posts: readonly Post[];
  readonly traces: readonly string[];
  /** `done`, `thrown` or `limit`; undefined when the run never ended. */
  readonly end: Post | undefined;
  /** What an apply rejected with, if one did. */
  readonly escaped: string | undefined;
}

type Call<Name extends keyof GuestBoundary> = (...args: Parameters<GuestBoundary[Name]>) => ReturnType<GuestBoundary[Name]>;

const TIMEOUT_MS = 300;

/** A guest as the sandbox process keeps one, without its processes: for tests of the language layer. */
export class GuestIsolate {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  readonly posts: Post[] = [];
  escaped: string | undefined;
  onPost: (post: Post) => void = () => undefined;
  readonly #functions = new Map<string, ivm.Reference>();

  constructor(snapshot?: ivm.ExternalCopy<ArrayBuffer>) {
    this.isolate = snapshot === undefined ? new ivm.Isolate({ memoryLimit: 64 }) : new ivm.Isolate({ memoryLimit: 64, snapshot });
    this.context = this.isolate.createContextSync();
    if (snapshot === undefined) this.context.evalSync(guestRuntimeSource(KEY), { filename: RUNTIME_FILE });
    const take = this.context.global.getSync(BOUNDARY_GLOBAL, { reference: true });
    const boundary = take.applySync(undefined, [KEY], { result: { reference: true } }) as ivm.Reference;
    for (const name of ['install', 'load', 'loaded', 'types', 'run', 'deliver', 'rejectCall']) {
      this.#functions.set(name, boundary.getSync(name, { reference: true }) as ivm.Reference);
    }
    const receive = new ivm.Callback(
      (kind: PostKind, id: number, text: string) => {
        this.posts.push({ kind, id, text });
        this.onPost({ kind, id, text });
      },
      { ignored: true },
    );
    (this.#functions.get('install') as ivm.Reference).applySync(undefined, [receive]);
  }

  call<Name extends keyof GuestBoundary>(name: Name, ...args: Parameters<Call<Name>>): ReturnType<Call<Name>> {
    const target = this.#functions.get(name) as ivm.Reference;
    return target.applySync(undefined, [...args], { timeout: TIMEOUT_MS }) as ReturnType<Call<Name>>;
  }

  /** An apply of a function that answers by posts; what it rejects with is kept, as an engine would drop it. */
  async post<Name extends 'run' | 'deliver' | 'rejectCall'>(name: Name, ...args: Parameters<Call<Name>>): Promise<void> {
    const target = this.#functions.get(name) as ivm.Reference;
    await target.apply(undefined, [...args], { timeout: TIMEOUT_MS }).catch((error: unknown) => {
      this.escaped = error instanceof Error ? error.message : String(error);
    });
  }

  [Symbol.dispose](): void {
    if (!this.isolate.isDisposed) this.isolate.dispose();
  }
}

export interface RunOptions {
  readonly typeName?: string;
  readonly answer?: AnswerService;
  readonly limits?: Partial<GuestLimits>;
  readonly state?: object;
  readonly own?: object;
  readonly stage?: object;
  readonly seed?: string;
  readonly snapshot?: ivm.ExternalCopy<ArrayBuffer>;
}

const noAnswer: AnswerService = () => ({ ok: true, text: '{}' });

export async function runBundle(code: string, options: RunOptions = {}): Promise<GuestRun> {
  using guest = new GuestIsolate(options.snapshot);
  if (options.snapshot === undefined) {
    const loaded = guest.call('load', code, 'bundle.js', START_MS, SEED);
    const answer = JSON.parse(loaded) as { readonly ok: boolean; readonly thrown?: unknown };
    if (!answer.ok) return { posts: [], traces: [], end: { kind: 'thrown', id: 0, text: JSON.stringify(answer.thrown) }, escaped: undefined };
  }
  return await runLoaded(guest, options);
}

/** Runs a type and answers its calls until it ended or has nothing under way. Time passes by what timers ask and 1 ms a call. */
export async function runLoaded(guest: GuestIsolate, options: RunOptions = {}): Promise<GuestRun> {
  let nowMs = START_MS;
  const answer = options.answer ?? noAnswer;
  const first = guest.posts.length;
  await guest.post(
    'run',
    options.typeName ?? 'default',
    JSON.stringify(options.stage ?? { messageName: 'Create', stage: 20, depth: 1 }),
    JSON.stringify(options.state ?? { inputParameters: {}, outputParameters: {}, sharedVariables: {} }),
    JSON.stringify(options.own ?? { configuration: { unsecure: '', secure: '' } }),
    JSON.stringify({ ...LIMITS, ...options.limits }),
    START_MS,
    options.seed ?? SEED,
    START_MS,
  );
  const isEnd = (post: Post): boolean => post.kind === 'done' || post.kind === 'thrown' || post.kind === 'limit';
  const timers: { readonly id: number; readonly dueMs: number }[] = [];
  const settle = async (id: number, given: ServiceAnswer): Promise<void> => {
    nowMs += 1;
    if ('refused' in given) await guest.post('rejectCall', id, given.refused, nowMs);
    else await guest.post('deliver', id, given.ok, given.text, nowMs);
  };
  for (let at = first; guest.escaped === undefined; ) {
    await new Promise((resolve) => setImmediate(resolve));
    const post = guest.posts[at];
    if (post !== undefined) {
      at += 1;
      if (isEnd(post)) break;
      if (post.kind === 'timer') timers.push({ id: post.id, dueMs: nowMs + (JSON.parse(post.text) as { readonly ms: number }).ms });
      if (post.kind === 'crypto') await settle(post.id, { ok: true, text: await answerCrypto(post.text) });
      const given = post.kind === 'service' || post.kind === 'fetch' ? answer(JSON.parse(post.text) as Record<string, unknown>) : undefined;
      if (given !== undefined) await settle(post.id, given);
      continue;
    }
    const next = timers.sort((one, other) => one.dueMs - other.dueMs).shift();
    if (next === undefined) break;
    nowMs = Math.max(nowMs, next.dueMs);
    await guest.post('deliver', next.id, true, '', nowMs);
  }
  const posts = guest.posts.slice(first);
  const traces = posts.filter((post) => post.kind === 'trace').map((post) => post.text);
  return { posts, traces, end: posts.find(isEnd), escaped: guest.escaped };
}

export function snapshotOf(code?: string): ivm.ExternalCopy<ArrayBuffer> {
  const scripts = [{ code: guestRuntimeSource(KEY) }];
  if (code !== undefined) scripts.push({ code: guestLoadSource(KEY, { code, fileName: 'bundle.js', clockMs: START_MS, seed: SEED }) });
  return ivm.Isolate.createSnapshot(scripts);
}

/** Runs statements as the body of an async `execute` and gives back what it returned, as JSON. */
export async function evaluate(body: string, options: RunOptions = {}): Promise<unknown> {
  const code = `module.exports = { async execute(ctx) { const result = await (async () => { ${body} })(); ctx.executionContext.outputParameters.result = result; } };`;
  const run = await runBundle(code, options);
  if (run.end?.kind !== 'done') throw new Error(`The guest did not end well: ${run.end?.text ?? run.escaped ?? 'it never ended'}`);
  return (JSON.parse(run.end.text) as { readonly outputParameters: { readonly result?: unknown } }).outputParameters.result;
}
