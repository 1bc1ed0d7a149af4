import {
  acceptStageState,
  classify,
  defaultSyncLimits,
  type ExecutionContext,
  type Failure,
  type Fault,
  type OwnContext,
  parseStageState,
  type StageContext,
  type StageState,
  type Step,
  type StepLimits,
  type StepStage,
} from '@airlock/pipeline';
import { type AssignedStep, PlatformError, type StepOutcome } from '@airlock/protocol';
import { formatTraceparent } from '@airlock/telemetry';
import type { RunEnd } from '../bus/run-order.ts';
import { redactEnd } from '../secrets/redact.ts';
import { type ActingUser, actingUserOf } from './acting-user.ts';
import { assignedStepOf } from './assigned-step.ts';
import { executionEnded, faultOfFailure } from './fault-of.ts';
import { fetchCallOf } from './fetch-call.ts';
import { type Operation, referenceOf } from './operation.ts';
import { recordEnded } from './record-ended.ts';
import { serveCall } from './serve-call.ts';
import { contextOf, type Images, type MessageFrame, ownContextOf, stageContextOf } from './stage-context.ts';

export interface StageRequest {
  readonly stage: StepStage;
  readonly steps: readonly Step[];
  readonly state: StageState;
  readonly images: Images;
}

export type StageEnd = { readonly ok: true; readonly state: StageState } | { readonly ok: false; readonly fault: Fault };

/** Steps that travel in one message; the schema of the assignment allows as many. */
const MAX_STEPS_A_RUN = 32;
/** Line feeds and the envelope's own fields. */
const ENVELOPE_ROOM_BYTES = 32 * 1024;

interface Prepared {
  readonly step: Step;
  readonly user: ActingUser;
  readonly own: OwnContext;
  readonly limits: StepLimits;
  readonly assigned: AssignedStep;
}

/** Runs the steps of one stage one after the other. They travel together: one round trip however many there are. */
export async function runStage(op: Operation, frame: MessageFrame, request: StageRequest): Promise<StageEnd> {
  let { state } = request;
  for (let from = 0; from < request.steps.length; from += MAX_STEPS_A_RUN) {
    const end = await runTogether(op, frame, { ...request, steps: request.steps.slice(from, from + MAX_STEPS_A_RUN), state });
    if (!end.ok) return end;
    state = end.state;
  }
  return { ok: true, state };
}

async function runTogether(op: Operation, frame: MessageFrame, request: StageRequest): Promise<StageEnd> {
  const context = stageContextOf(op, frame, request);
  const prepared: Prepared[] = [];
  for (const step of request.steps) prepared.push(await prepare(op, frame, step, request.images));
  const startedAtMs = Date.now();
  const end = await send(op, frame, { context, prepared, request });
  if (end.kind === 'cancelled') throw executionEnded();
  return await conclude(op, frame, { context, prepared, request, end, startedAtMs });
}

async function prepare(op: Operation, { request }: MessageFrame, step: Step, images: Images): Promise<Prepared> {
  const user = await actingUserOf(op, step, request.caller);
  const limits = { ...defaultSyncLimits, ...step.limits };
  const left = Math.max(1, Math.floor(op.deadlineMs - performance.now()));
  const wallMs = Math.min(limits.wallMs, left);
  return {
    step,
    user,
    own: ownContextOf(step, user.userId, user.mayRead(request.table) ? images : { pre: undefined, post: undefined }),
    limits: { ...limits, wallMs },
    assigned: assignedStepOf(step, { ...limits, wallMs }),
  };
}

type ConcludedRun = Exclude<RunEnd, { kind: 'cancelled' }>;

interface Sent {
  readonly context: StageContext;
  readonly prepared: readonly Prepared[];
  readonly request: StageRequest;
}

async function send(op: Operation, frame: MessageFrame, { context, prepared, request }: Sent): Promise<RunEnd> {
  const byExecution = new Map(prepared.map((each) => [each.assigned.executionId, each]));
  const left = Math.max(1, Math.floor(op.deadlineMs - performance.now()));
  const lines = [JSON.stringify(context), JSON.stringify(request.state), ...prepared.map(ownLine)];
  const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line), ENVELOPE_ROOM_BYTES);
  if (bytes > op.deps.limits.contextBytes) throw new PlatformError('CONTEXT_TOO_LARGE', { bytes, limit: op.deps.limits.contextBytes });
  const end = await op.deps.bus.run({
    pool: op.deps.pool,
    depth: frame.depth,
    digest: prepared[0]?.assigned.bundle.digest ?? '',
    digests: prepared.map(({ assigned }) => assigned.bundle.digest),
    envelope: {
      kind: 'run',
      organizationId: op.deps.organization.organizationId,
      depth: frame.depth,
      traceparent: formatTraceparent(op.trace),
      steps: prepared.map(({ assigned }) => assigned),
    },
    lines,
    waitMs: Math.min(op.deps.limits.workerWaitMs, left),
    budgetMs: Math.min(
      left,
      prepared.reduce((sum, { limits }) => sum + limits.wallMs, 0),
    ),
    executions: new Map(prepared.map(({ assigned }) => [assigned.executionId, assigned.token])),
    maxCalls: Math.max(...prepared.map(({ limits }) => limits.hostCalls)),
    ...(frame.request.signal !== undefined && { signal: frame.request.signal }),
    onCall: async (executionId, text, signal) => {
      const caller = byExecution.get(executionId);
      if (caller === undefined) throw new Error('the bus passed on a call of an execution that it was not given');
      const parent: ExecutionContext = contextOf(context, request.state, caller.own);
      return await serveCall(op, { text, parent, user: caller.user, limits: caller.limits, signal, request: frame.request });
    },
    onFetch: async (executionId, text, signal) => {
      const caller = byExecution.get(executionId);
      if (caller === undefined) throw new Error('the bus passed on a request of an execution that it was not given');
      const { step, user, limits } = caller;
      const leftMs = Math.min(limits.wallMs, op.deadlineMs - performance.now());
      return await op.deps.serveFetch(fetchCallOf(op, { step, userId: user.userId, limits, text, leftMs, signal }));
    },
  });
  return redactEnd(end, op.registrations.redact);
}

function ownLine({ own, step }: Prepared): string {
  return JSON.stringify({ ...own, configuration: { unsecure: step.unsecureConfiguration, secure: step.secureConfiguration } });
}

interface Concluding extends Sent {
  readonly end: ConcludedRun;
  readonly startedAtMs: number;
}

async function conclude(op: Operation, frame: MessageFrame, run: Concluding): Promise<StageEnd> {
  const { end, prepared, request } = run;
  const outcomes = end.kind === 'replied' && end.reply.kind === 'ran' ? end.reply.outcomes : [];
  const workerId = end.kind === 'no-worker' ? undefined : end.worker.workerId;
  // They ran one after the other, so each began when the one before it ended: the trace log is in the order in which they ran.
  let startedAtMs = run.startedAtMs;
  const state = stateOf(end, request);
  for (const [index, each] of prepared.entries()) {
    const outcome = outcomes[index];
    // The state is there when every step succeeded: it is the last one's doing.
    const failure = failureOf(op, end, outcome, each) ?? (index === prepared.length - 1 ? state.failure : undefined);
    const fault =
      failure === undefined ? undefined : faultOfFailure(op, failure, { step: each.step, trace: outcome?.trace ?? '', caller: frame.request.caller });
    recordEnded(op, {
      step: each.step,
      context: { ...run.context, userId: each.own.userId },
      startedAtMs,
      failure,
      trace: outcome?.trace ?? '',
      traceTruncated: outcome?.traceTruncated ?? false,
      receipt: outcome?.receipt,
      traceId: op.trace.traceId,
      ...(fault !== undefined && { reference: referenceOf(op.trace), errorCode: fault.code }),
      ...(workerId !== undefined && { workerId }),
    });
    if (fault !== undefined) return { ok: false, fault };
    startedAtMs += Math.min(outcome?.receipt.wallMs ?? 0, each.limits.wallMs);
  }
  return { ok: true, state: state.accepted };
}

function failureOf(op: Operation, end: ConcludedRun, outcome: StepOutcome | undefined, { limits, assigned }: Prepared): Failure | undefined {
  if (end.kind === 'no-worker') {
    return { origin: 'platform', kind: 'no-worker', pool: op.deps.pool, workers: end.workers, queued: end.queued, waitedMs: end.waitedMs };
  }
  if (end.kind === 'worker-lost') return { origin: 'platform', kind: 'worker-lost', workerId: end.worker.workerId };
  if (outcome === undefined || outcome.executionId !== assigned.executionId) {
    return { origin: 'sandbox', kind: 'protocol', detail: 'the worker answered without an outcome for this step' };
  }
  return classify(outcome.observation, limits);
}

/** The state comes from a guest: it is parsed with limits, and only what its stage may change counts. */
function stateOf(end: ConcludedRun, { stage, state }: StageRequest): { readonly accepted: StageState; readonly failure?: Failure } {
  const text = end.kind === 'replied' ? end.state : undefined;
  const parsed = text === undefined ? { ok: false as const, problem: 'the worker sent no stage state' } : parseStageState(text);
  if (parsed.ok) return { accepted: acceptStageState(state, parsed.state, { stage }) };
  return { accepted: state, failure: { origin: 'sandbox', kind: 'protocol', detail: parsed.problem } };
}
