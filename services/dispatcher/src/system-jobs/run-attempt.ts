import {
  classify,
  defaultAsyncLimits,
  type ExecutionContext,
  exceptionDetailsOf,
  type Failure,
  type OwnContext,
  type StageContext,
  type Step,
  type StepLimits,
  traceTextOf,
} from '@airlock/pipeline';
import { type AssignedStep, PlatformError, type StepOutcome } from '@airlock/protocol';
import { formatTraceparent, newTrace, type TraceContext } from '@airlock/telemetry';
import type { RunEnd } from '../bus/run-order.ts';
import { type ActingUser, actingUserOf, userById } from '../execute-message/acting-user.ts';
import { assignedStepOf } from '../execute-message/assigned-step.ts';
import { faultOfError, faultOfFailure } from '../execute-message/fault-of.ts';
import { fetchCallOf } from '../execute-message/fetch-call.ts';
import type { Caller } from '../execute-message/message.ts';
import { type Operation, type OperationDependencies, referenceOf } from '../execute-message/operation.ts';
import { recordEnded, writeTraceLog } from '../execute-message/record-ended.ts';
import { runMessage } from '../execute-message/run-message.ts';
import { serveCall } from '../execute-message/serve-call.ts';
import { redactEnd } from '../secrets/redact.ts';
import type { OperationConnections } from '../store/operation-connections.ts';
import { SYSTEM_USER_ID } from '../store/well-known.ts';
import { type AttemptEnd, traceIdOf } from './attempt-end.ts';
import type { ClaimedJob } from './claim-jobs.ts';
import { type JobData, parseJobData } from './job-data.ts';

export interface AttemptDependencies {
  readonly operations: OperationDependencies;
  /** A connection for each attempt that may run: none waits for one while it holds a worker's slot. */
  readonly connections: OperationConnections;
  readonly workerWaitMs: number;
  /** Attempts for each slot that may wait at its worker. */
  readonly ahead: number;
}

interface Attempt {
  readonly job: ClaimedJob;
  readonly data: JobData;
  readonly step: Step;
  readonly caller: Caller;
  readonly user: ActingUser;
  readonly context: StageContext;
  readonly own: OwnContext;
  readonly limits: StepLimits;
  readonly assigned: AssignedStep;
}

/** One try of a system job. Never throws for what plug-ins and workers do; `signal` says that its end matters to nobody any more. */
export async function runAttempt(deps: AttemptDependencies, job: ClaimedJob, signal: AbortSignal): Promise<AttemptEnd> {
  const startedAtMs = Date.now();
  const op = newOperation(deps, job);
  try {
    const attempt = await prepare(op, job);
    // Before a worker's slot, as in operations: who holds a slot never waits for a connection.
    await using admission = await deps.connections.admit();
    op.admission = admission;
    const end = await send(deps, op, attempt, signal);
    return await conclude(op, attempt, { end, startedAtMs });
  } catch (error) {
    const fault = faultOfError(op, error);
    const ended = { job, startedAtMs, endedAtMs: Date.now(), workerId: undefined, receipt: undefined, fault, message: fault.message };
    // Nothing ran, and it may the next time (the database was away): the attempt is given back.
    if (fault.retriable)
      return { ...ended, failure: { origin: 'platform', kind: 'throttled', detail: fault.message }, failureKind: 'platform/unavailable' };
    // Not the plug-in's doing and not to be helped by another try: the user is disabled, the row is broken.
    return { ...ended, failure: { origin: 'sandbox', kind: 'protocol', detail: fault.message }, failureKind: 'platform/refused' };
  }
}

/** The trace of an attempt is its own; correlation id and parent context lead back to what queued it. */
function traceOf({ leaseid }: ClaimedJob): TraceContext {
  return { ...newTrace(), traceId: traceIdOf(leaseid) };
}

function newOperation({ operations, connections }: AttemptDependencies, job: ClaimedJob): Operation {
  return {
    deps: { ...operations, connections },
    admission: {
      get queryable(): never {
        throw new Error('the attempt is not admitted yet');
      },
      begin: () => {
        throw new Error('the attempt is not admitted yet');
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    registrations: operations.registrations(),
    metadata: operations.metadata(),
    trace: traceOf(job),
    runNested: runMessage,
    deadlineMs: performance.now() + operations.limits.operationMs,
    ended: [],
    transaction: undefined,
    doomed: undefined,
    afterCommit: [],
    fence: { jobId: job.asyncoperationid, leaseId: job.leaseid },
  };
}

async function prepare(op: Operation, job: ClaimedJob): Promise<Attempt> {
  const data = parseJobData(job.data);
  // The version is the one that was queued; the secret is the one of today, and never in the row.
  const secureConfiguration = op.registrations.stepsById.get(data.step.id)?.secureConfiguration ?? '';
  const step: Step = { ...data.step, secureConfiguration };
  const caller = await callerNow(op, data.caller, step);
  const user = await actingUserOf(op, step, caller);
  const limits = { ...defaultAsyncLimits, ...step.limits };
  return {
    job,
    data,
    step,
    caller,
    user,
    context: { ...data.context, operationId: job.asyncoperationid },
    own: ownOf(op, data, user),
    limits,
    assigned: assignedStepOf(step, limits),
  };
}

/** Roles are those of the moment: who was demoted or disabled since does not act through a job that waited. */
async function callerNow(op: Operation, caller: Caller, step: Step): Promise<Caller> {
  if (caller.userId === SYSTEM_USER_ID) return caller;
  const { role } = await userById(op, caller.userId, `the system job of the step "${step.name}"`);
  return { ...caller, role };
}

function ownOf(op: Operation, { own, context }: JobData, user: ActingUser): OwnContext {
  const table = op.metadata.tables.get(context.primaryEntityName);
  const mayRead = table !== undefined && user.mayRead(table);
  return { ...own, userId: user.userId, ...(!mayRead && { preEntityImages: {}, postEntityImages: {} }) };
}

async function send(deps: AttemptDependencies, op: Operation, attempt: Attempt, signal: AbortSignal): Promise<RunEnd> {
  const { context, data, own, step, assigned, limits, caller, user } = attempt;
  const configuration = { unsecure: step.unsecureConfiguration, secure: step.secureConfiguration };
  const lines = [JSON.stringify(context), JSON.stringify(data.state), JSON.stringify({ ...own, configuration })];
  const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
  if (bytes > op.deps.limits.contextBytes) throw new PlatformError('CONTEXT_TOO_LARGE', { bytes, limit: op.deps.limits.contextBytes });
  const parent: ExecutionContext = { ...context, ...data.state, ...own };
  const { correlationId, requestId } = context;
  let serving: Promise<unknown> = Promise.resolve();
  const end = await op.deps.bus.run({
    pool: op.deps.pool,
    depth: context.depth,
    digest: assigned.bundle.digest,
    digests: [assigned.bundle.digest],
    envelope: {
      kind: 'run',
      organizationId: op.deps.organization.organizationId,
      depth: context.depth,
      traceparent: formatTraceparent(op.trace),
      steps: [assigned],
    },
    lines,
    waitMs: deps.workerWaitMs,
    ahead: deps.ahead,
    budgetMs: limits.wallMs,
    executions: new Map([[assigned.executionId, assigned.token]]),
    maxCalls: limits.hostCalls,
    signal,
    onCall: (_executionId, text, over) => {
      const reply = serveJobCall(op, { text, parent, user, limits, signal: over, request: { caller, correlationId, requestId } });
      serving = reply.catch(() => undefined);
      return reply;
    },
    onFetch: (_executionId, text, over) =>
      op.deps.serveFetch(fetchCallOf(op, { step, userId: user.userId, limits, text, leftMs: limits.wallMs, signal: over })),
  });
  // A call may outlive its run, and it uses the connection that goes back when this returns.
  await serving;
  return redactEnd(end, op.registrations.redact);
}

/** Each service call of a job is an operation of its own: what befalls one leaves the next ones alone. */
async function serveJobCall(op: Operation, call: Parameters<typeof serveCall>[1]) {
  const own: Operation = { ...op, deadlineMs: performance.now() + op.deps.limits.operationMs, ended: [], doomed: undefined, afterCommit: [] };
  const reply = await serveCall(own, call);
  if (own.ended.length > 0) await writeTraceLog(own);
  return reply;
}

interface Concluding {
  readonly end: RunEnd;
  readonly startedAtMs: number;
}

async function conclude(op: Operation, attempt: Attempt, { end, startedAtMs }: Concluding): Promise<AttemptEnd> {
  const { job, step, limits, context, own, caller } = attempt;
  const outcome = outcomeOf(end);
  const failure = failureOf(op, end, outcome, limits);
  const workerId = end.kind === 'no-worker' || end.kind === 'cancelled' ? undefined : end.worker.workerId;
  const trace = outcome?.trace ?? '';
  const fault = failure === undefined ? undefined : faultOfFailure(op, failure, { step, trace, caller });
  const nothingRan = end.kind === 'no-worker';
  const base = { job, startedAtMs, endedAtMs: Date.now(), workerId, receipt: outcome?.receipt, failure };
  const ended: AttemptEnd = nothingRan ? { ...base, nothingRan } : base;
  // Nothing ran: there is nothing to log, and it may happen often.
  if (!nothingRan) {
    recordEnded(op, {
      step,
      context: { ...context, userId: own.userId },
      startedAtMs,
      failure,
      trace,
      traceTruncated: outcome?.traceTruncated ?? false,
      receipt: outcome?.receipt,
      traceId: op.trace.traceId,
      job: { asyncOperationId: job.asyncoperationid, attempt: job.attempt },
      ...(fault !== undefined && { reference: referenceOf(op.trace), errorCode: fault.code }),
      ...(workerId !== undefined && { workerId }),
    });
    await writeTraceLog(op);
  }
  return fault === undefined || failure === undefined ? ended : { ...ended, fault, message: technicalMessage(step, failure, trace) };
}

function outcomeOf(end: RunEnd): StepOutcome | undefined {
  return end.kind === 'replied' && end.reply.kind === 'ran' ? end.reply.outcomes[0] : undefined;
}

function failureOf(op: Operation, end: RunEnd, outcome: StepOutcome | undefined, limits: StepLimits): Failure | undefined {
  if (end.kind === 'no-worker') {
    return { origin: 'platform', kind: 'no-worker', pool: op.deps.pool, workers: end.workers, queued: end.queued, waitedMs: end.waitedMs };
  }
  // Stopped by us: for a shutdown, a cancel, or a lease that is gone. The state machine knows which.
  if (end.kind === 'cancelled') return { origin: 'platform', kind: 'shutting-down' };
  if (end.kind === 'worker-lost') return { origin: 'platform', kind: 'worker-lost', workerId: end.worker.workerId };
  if (outcome === undefined) return { origin: 'sandbox', kind: 'protocol', detail: 'the worker answered without an outcome for this step' };
  return classify(outcome.observation, limits);
}

/** In the shape in which the platform's failed jobs have it (dataverse-facts §6.4). */
function technicalMessage(step: Step, failure: Failure, trace: string): string {
  const { typeName, bundleName } = step.plugin;
  const text = traceTextOf({ assembly: bundleName, typeName, stepId: step.id, stepName: step.name }, trace);
  return `Plugin Trace:\n${text}\nError Message:\n\nUnhandled Exception: ${exceptionDetailsOf(failure) ?? ''}`;
}
