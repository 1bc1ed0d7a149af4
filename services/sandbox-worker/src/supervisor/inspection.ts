import { encodeFrame, type InspectionRequest, type InspectionResult, type ObservationWire, PROTOCOL_VERSION } from '@airlock/protocol';
import { BundleError, type BundleStore } from '../bundles/bundle-store.ts';
import { InspectionAnswer } from './child-message.ts';
import { quietObservation, type StopCause } from './execution.ts';
import { mapStacks } from './map-stacks.ts';
import type { ChildPool, Wish } from './pool.ts';
import { blameFor, causeOf, type Run, type RunDependencies } from './run-assignment.ts';
import type { SandboxProcess } from './sandbox-process.ts';
import type { Overrun, Watch } from './watch.ts';

export interface InspectionDependencies extends Pick<RunDependencies, 'blame' | 'log'> {
  readonly pool: ChildPool;
  readonly bundles: BundleStore;
  readonly watch: Watch;
  readonly nowMs: () => number;
  readonly publishResult: (dispatcherId: string, frame: string) => void;
}

type Found = Pick<InspectionResult, 'broke' | 'types'> & { readonly seen: Partial<ObservationWire>; readonly detail?: string };

const MAX_BUNDLE_WAIT_MS = 10_000;
const overran = {
  deadline: { deadlineFired: true },
  cpu: { cpuLimitFired: true },
  resident: { residentLimitFired: true },
} as const satisfies Record<Overrun, Partial<ObservationWire>>;

/** Loads a bundle in a child and reports what it holds or why it cannot be loaded. */
export function startInspection(request: InspectionRequest, deps: InspectionDependencies): Run {
  const startedMs = deps.nowMs();
  const leftMs = (): number => Math.max(1, request.budgetMs - (deps.nowMs() - startedMs));
  let isStopped = false;
  let stop: ((cause: StopCause) => void) | undefined;

  const look = async (): Promise<Found> => {
    const { bundle, dispatcherId, organizationId } = request;
    const throttled = deps.blame.throttled(organizationId, bundle.digest);
    if (throttled !== undefined) return { types: [], seen: { throttled } };
    let code: string;
    let child: SandboxProcess;
    try {
      code = await deps.bundles.code(bundle.digest, dispatcherId, Math.min(leftMs(), MAX_BUNDLE_WAIT_MS));
      child = deps.pool.take(organizationId, undefined) ?? (await deps.pool.start(organizationId));
    } catch (error) {
      return { types: [], seen: { bundleUnavailable: error instanceof BundleError ? error.message : 'no sandbox process could be started.' } };
    }
    child.giveBundle(bundle, () => code);
    const found = await inspectIn(child, request, Math.min(request.limits.wallMs, leftMs()), deps, (stopper) => {
      stop = stopper;
    });
    stop = undefined;
    const { thrown } = found.seen;
    const mapped =
      thrown === undefined || thrown === 'unreadable' || child.killed
        ? thrown
        : await mapStacks(thrown, { child, digest: bundle.digest, dispatcherId, deps, leftMs: leftMs() });
    if (child.killed || child.gone) {
      deps.pool.discard(child, 'inspection');
      if (!isStopped) blameFor(causeOf({ ...quietObservation, ...found.seen }), { step: { bundle }, organizationId, deps });
    } else deps.pool.release(child, wishesOf(request, found));
    return { ...found, seen: mapped === undefined ? found.seen : { ...found.seen, thrown: mapped } };
  };

  const ended = look().then(({ seen, broke, types }) => {
    const result: InspectionResult = {
      version: PROTOCOL_VERSION,
      kind: 'inspected',
      runId: request.runId,
      token: request.token,
      observation: { ...quietObservation, ...seen },
      ...(broke === undefined ? {} : { broke }),
      types,
    };
    deps.publishResult(request.dispatcherId, encodeFrame([JSON.stringify(result)]));
  });
  return {
    stop: (cause) => {
      isStopped = true;
      stop?.(cause);
    },
    ended,
  };
}

/** Whoever uploads a bundle means to run it: its first execution finds an isolate that waits. */
const wishesOf = ({ bundle, limits }: InspectionRequest, { broke }: Found): readonly Wish[] =>
  // It was just loaded there, so there is nothing to give.
  broke === undefined && !bundle.stateless ? [{ digest: bundle.digest, heapBytes: limits.heapBytes, count: 1, give: () => {} }] : [];

function inspectIn(
  child: SandboxProcess,
  { limits, bundle }: InspectionRequest,
  wallMs: number,
  { watch, nowMs }: InspectionDependencies,
  onStoppable: (stop: (cause: StopCause) => void) => void,
): Promise<Found> {
  return new Promise((resolve) => {
    child.executions += 1;
    const run = child.executions;
    let stopped: Partial<ObservationWire> | undefined;
    const done = (found: Found): void => {
      unwatch();
      child.listener = undefined;
      resolve(found);
    };
    const kill = (seen: Partial<ObservationWire>): void => {
      stopped ??= seen;
      child.kill();
    };
    child.listener = {
      onMessage: (message, lines) => {
        if (message.kind === 'fatal') return kill(message.reason === 'heap' ? { heapExhausted: true } : { deadlineFired: true });
        if (message.kind !== 'inspected' || message.run !== run) return kill({ protocolViolation: `an unexpected message: ${message.kind}` });
        if (stopped !== undefined) return;
        if (message.end !== 'done') {
          kill(
            message.end === 'heap'
              ? { heapExhausted: true }
              : message.end === 'deadline'
                ? { deadlineFired: true }
                : { protocolViolation: message.detail },
          );
          return;
        }
        done(foundIn(lines[1] ?? '', message.detail));
      },
      onGone: () => done({ types: [], seen: stopped ?? { childDied: true } }),
      onViolation: (detail) => {
        stopped ??= { protocolViolation: detail };
      },
    };
    const unwatch = watch.add({
      usage: child.usage,
      deadlineAtMs: nowMs() + wallMs,
      cpuMs: limits.cpuMs,
      residentBytes: limits.residentBytes,
      onOverrun: (overrun) => kill(overran[overrun]),
    });
    onStoppable((cause) => kill(cause === 'shutting-down' ? { shuttingDown: true } : { deadlineFired: true }));
    child.send({ kind: 'inspect', run, digest: bundle.digest, heapBytes: limits.heapBytes, wallMs });
  });
}

function foundIn(line: string, where: string): Found {
  let answer: InspectionAnswer;
  try {
    answer = InspectionAnswer.parse(JSON.parse(line));
  } catch {
    return { types: [], seen: { protocolViolation: 'what the sandbox found in the bundle could not be read' } };
  }
  if (answer.ok) return { types: answer.types, seen: {} };
  const { broke, thrown } = answer;
  // The place of a syntax error is the parser's, not the guest's: it comes beside what was thrown.
  const placed = where === '' || thrown === 'unreadable' ? thrown : { ...thrown, error: { ...thrown.error, message: where } };
  return { types: [], broke, seen: { thrown: placed } };
}
