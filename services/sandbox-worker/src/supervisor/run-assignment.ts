import {
  type AssignedStep,
  type Assignment,
  type Busy,
  encodeFrame,
  type FetchCall,
  type ObservationWire,
  PROTOCOL_VERSION,
  type RunResult,
  type ServiceCall,
  type StepOutcome,
} from '@airlock/protocol';
import type { Logger } from '@airlock/telemetry';
import { BundleError, type BundleStore } from '../bundles/bundle-store.ts';
import type { Blame } from './blame.ts';
import { type Execution, type ExecutionResult, quietObservation, type StopCause, startExecution } from './execution.ts';
import { mapStacks } from './map-stacks.ts';
import { type ChildPool, preparationKey, type Wish } from './pool.ts';
import type { SandboxProcess } from './sandbox-process.ts';
import type { Watch } from './watch.ts';

export interface RunDependencies {
  readonly pool: ChildPool;
  readonly bundles: BundleStore;
  readonly watch: Watch;
  readonly nowMs: () => number;
  readonly allowReuse: boolean;
  readonly blame: Blame;
  readonly log: Logger;
  readonly publishCall: (dispatcherId: string, frame: string) => void;
  readonly publishFetch: (dispatcherId: string, frame: string) => void;
  readonly publishResult: (dispatcherId: string, frame: string) => void;
  /** Executions that may be answered, by id. */
  readonly executions: Map<string, Execution>;
}

export interface Run {
  readonly stop: (cause: StopCause) => void;
  readonly ended: Promise<void>;
}

const MAX_BUNDLE_WAIT_MS = 10_000;
const MAX_PREPARED_AHEAD = 4;

export const busyFrame = (runId: string, draining: boolean): string =>
  encodeFrame([JSON.stringify({ version: PROTOCOL_VERSION, kind: 'busy', runId, draining } satisfies Busy)]);

/** Runs the steps of an assignment one after the other; the first that fails ends it. */
export function startRun(assignment: Assignment, lines: readonly string[], deps: RunDependencies): Run {
  const startedMs = deps.nowMs();
  let stopCause: StopCause | undefined;
  let current: Execution | undefined;
  const held: SandboxProcess[] = [];
  const leftMs = (): number => assignment.budgetMs - (deps.nowMs() - startedMs);

  const take = (step: AssignedStep): SandboxProcess | undefined => {
    const key = preparationKey(step.bundle.digest, step.limits.heapBytes);
    const has = (child: SandboxProcess) => (child.prepared.get(key) ?? 0) > 0 || (step.bundle.stateless && deps.allowReuse);
    const ready = held.find(has);
    if (ready !== undefined) return ready;
    const [first] = held;
    const other = deps.pool.take(assignment.organizationId, key);
    if (other === undefined) return first;
    // A further child is worth holding only for what it has prepared.
    if (first !== undefined && !has(other)) {
      deps.pool.release(other, []);
      return first;
    }
    held.push(other);
    return other;
  };

  const execute = (step: AssignedStep, child: SandboxProcess, stateJson: string, ownJson: string): Promise<ExecutionResult> => {
    const key = preparationKey(step.bundle.digest, step.limits.heapBytes);
    const reuse = step.bundle.stateless && deps.allowReuse;
    const before = child.prepared.get(key) ?? 0;
    if (!reuse && before > 0) child.prepared.set(key, before - 1);
    const { promise, resolve } = Promise.withResolvers<ExecutionResult>();
    current = startExecution(
      {
        step,
        child,
        stageContextJson: lines[1] ?? '{}',
        stateJson,
        ownJson,
        wallMs: Math.max(1, Math.min(step.limits.wallMs, leftMs())),
        reuse,
        watch: deps.watch,
        nowMs: deps.nowMs,
        publishCall: (verb, callId, request) => {
          const call: ServiceCall | FetchCall = { version: PROTOCOL_VERSION, kind: verb, executionId: step.executionId, token: step.token, callId };
          const publish = verb === 'fetch' ? deps.publishFetch : deps.publishCall;
          publish(assignment.dispatcherId, encodeFrame([JSON.stringify(call), request]));
        },
      },
      (result) => {
        deps.executions.delete(step.executionId);
        resolve(result);
      },
    );
    deps.executions.set(step.executionId, current);
    return promise;
  };

  const runStep = async (step: AssignedStep, stateJson: string, ownJson: string): Promise<ExecutionResult> => {
    if (stopCause !== undefined) return notRun(step, stopCause === 'shutting-down' ? { shuttingDown: true } : { deadlineFired: true });
    const { bundle } = step;
    const throttled = deps.blame.throttled(assignment.organizationId, bundle.digest);
    if (throttled !== undefined) return notRun(step, { throttled });
    let code = deps.bundles.codeAtHand(bundle.digest);
    if (code === undefined) {
      try {
        code = await deps.bundles.code(bundle.digest, assignment.dispatcherId, Math.max(1, Math.min(leftMs(), MAX_BUNDLE_WAIT_MS)));
      } catch (error) {
        return notRun(step, { bundleUnavailable: error instanceof BundleError ? error.message : 'an unexpected problem of the worker.' });
      }
    }
    let child = take(step);
    if (child === undefined) {
      try {
        child = await deps.pool.start(assignment.organizationId);
        held.push(child);
      } catch {
        return notRun(step, { childDied: true });
      }
    }
    child.giveBundle(bundle, () => code);
    const result = await execute(step, child, stateJson, ownJson);
    current = undefined;
    if (!result.childUsable) {
      held.splice(held.indexOf(child), 1);
      const cause = causeOf(result.outcome.observation);
      deps.pool.discard(child, cause);
      // What the dispatcher or a shutdown ended is not the bundle's doing.
      if (stopCause === undefined) blameFor(cause, { step, organizationId: assignment.organizationId, deps });
      return result;
    }
    const { thrown } = result.outcome.observation;
    if (thrown === undefined || thrown === 'unreadable') return result;
    const mapped = await mapStacks(thrown, { child, digest: bundle.digest, dispatcherId: assignment.dispatcherId, deps, leftMs: leftMs() });
    return { ...result, outcome: { ...result.outcome, observation: { ...result.outcome.observation, thrown: mapped } } };
  };

  const runSteps = async (): Promise<void> => {
    const outcomes: StepOutcome[] = [];
    let stateJson = lines[2] ?? '{}';
    let failed = false;
    for (const [index, step] of assignment.steps.entries()) {
      const result = await runStep(step, stateJson, lines[3 + index] ?? '{}');
      outcomes.push(result.outcome);
      failed = result.stateJson === undefined;
      if (result.stateJson === undefined) break;
      stateJson = result.stateJson;
    }
    const envelope: RunResult = { version: PROTOCOL_VERSION, kind: 'ran', runId: assignment.runId, outcomes };
    deps.publishResult(assignment.dispatcherId, encodeFrame(failed ? [JSON.stringify(envelope)] : [JSON.stringify(envelope), stateJson]));
    // After the result is on its way: what comes now is preparation for the next.
    const wishes = wishesOf(assignment.steps, deps);
    for (const child of held) deps.pool.release(child, wishes);
  };

  return {
    stop: (cause) => {
      stopCause ??= cause;
      current?.stop(cause);
    },
    ended: runSteps(),
  };
}

function wishesOf(steps: readonly AssignedStep[], { bundles, allowReuse }: RunDependencies): Wish[] {
  const wishes = new Map<string, Wish>();
  for (const { bundle, limits } of steps) {
    if (bundle.stateless && allowReuse) continue;
    const key = preparationKey(bundle.digest, limits.heapBytes);
    const count = Math.min(MAX_PREPARED_AHEAD, (wishes.get(key)?.count ?? 0) + 1);
    const give = (child: SandboxProcess): void => {
      const code = bundles.codeAtHand(bundle.digest);
      if (code !== undefined) child.giveBundle(bundle, () => code);
    };
    wishes.set(key, { digest: bundle.digest, heapBytes: limits.heapBytes, count, give });
  }
  return [...wishes.values()];
}

const notRun = (step: AssignedStep, seen: Partial<StepOutcome['observation']>): ExecutionResult => ({
  outcome: {
    executionId: step.executionId,
    token: step.token,
    observation: { ...quietObservation, ...seen },
    receipt: { wallMs: 0, cpuMs: 0, heapBytes: 0, residentBytes: 0, hostCalls: 0, hostCallBytes: 0, start: 'cold' },
    trace: '',
    traceTruncated: false,
  },
  stateJson: undefined,
  childUsable: false,
});

interface Offence {
  readonly step: Pick<AssignedStep, 'bundle'> & { readonly stepId?: string };
  readonly organizationId: string;
  readonly deps: Pick<RunDependencies, 'blame' | 'log'>;
}

export function blameFor(cause: string, { step, organizationId, deps }: Offence): void {
  const { digest, name, version } = step.bundle;
  const facts = deps.blame.killed(organizationId, digest, cause);
  deps.log.warn({ organizationId, stepId: step.stepId, digest, bundle: name, version, cause, ...facts }, 'a bundle ended its sandbox process');
}

export function causeOf(seen: ObservationWire): string {
  if (seen.deadlineFired) return 'deadline';
  if (seen.cpuLimitFired) return 'cpu';
  if (seen.residentLimitFired) return 'resident';
  if (seen.heapExhausted) return 'heap';
  if (seen.hostCallLimitFired) return 'host-calls';
  if (seen.shuttingDown) return 'shutting-down';
  return seen.childDied ? 'crash' : 'protocol';
}
