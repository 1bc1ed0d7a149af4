import { cleanText, type ThrownWire } from '@airlock/protocol';
import { z } from 'zod';
import type { BundleStore } from '../bundles/bundle-store.ts';
import type { SandboxProcess } from './sandbox-process.ts';
import type { Watch } from './watch.ts';

export interface MapStacksOptions {
  /** Idle and healthy; the map is parsed in an isolate of its own inside it, never here. */
  readonly child: SandboxProcess;
  readonly digest: string;
  readonly dispatcherId: string;
  readonly deps: { readonly bundles: BundleStore; readonly watch: Watch; readonly nowMs: () => number };
  readonly leftMs: number;
}

/** It is time of the caller's: a hostile map costs an execution no more than this on top of its own. */
const MAP_WAIT_MS = 1_200;
const MAP_RESIDENT_BYTES = 512 * 1024 * 1024;
const MAX_STACK_CHARS = 16_384;

type Described = Exclude<ThrownWire, 'unreadable'>;
type GuestError = Described['error'];

/** Puts the author's places into the stacks of what was thrown. Whatever goes wrong, the stacks stay as they are. */
export async function mapStacks(thrown: Described, options: MapStacksOptions): Promise<Described> {
  const { nowMs } = options.deps;
  const waitMs = Math.min(MAP_WAIT_MS, options.leftMs);
  if (waitMs <= 0) return thrown;
  const untilMs = nowMs() + waitMs;
  const mapJson = await options.deps.bundles.sourceMap(options.digest, options.dispatcherId, waitMs).catch(() => undefined);
  if (mapJson === undefined || nowMs() >= untilMs) return thrown;
  const stacks: string[] = [];
  for (let error: GuestError | undefined = thrown.error; error !== undefined; error = error.cause) stacks.push(error.stack);
  const mapped = await askChild(options, untilMs, [JSON.stringify(stacks), mapJson]);
  if (mapped === undefined || mapped.length !== stacks.length) return thrown;
  const rebuild = (error: GuestError, depth: number): GuestError => ({
    ...error,
    stack: mapped[depth] ?? error.stack,
    ...(error.cause === undefined ? {} : { cause: rebuild(error.cause, depth + 1) }),
  });
  return { ...thrown, error: rebuild(thrown.error, 0) };
}

const Mapped = z.array(z.string().transform((stack) => cleanText(stack, MAX_STACK_CHARS))).max(16);

/** A child that does not answer in time is killed: it is not idle after all. */
function askChild(
  { child, deps: { watch } }: MapStacksOptions,
  untilMs: number,
  [stacksJson, mapJson]: readonly [string, string],
): Promise<readonly string[] | undefined> {
  return new Promise((resolve) => {
    const done = (stacks: readonly string[] | undefined): void => {
      unwatch();
      child.listener = undefined;
      resolve(stacks);
    };
    // Watched from outside like an execution: the map is an upload of the author's too.
    const unwatch = watch.add({
      usage: child.usage,
      deadlineAtMs: untilMs,
      cpuMs: MAP_WAIT_MS,
      residentBytes: MAP_RESIDENT_BYTES,
      onOverrun: () => {
        child.kill();
        done(undefined);
      },
    });
    child.listener = {
      onMessage: (message, lines) => {
        if (message.kind !== 'mapped') return done(undefined);
        try {
          done(Mapped.parse(JSON.parse(JSON.parse(lines[1] ?? '""') as string)));
        } catch {
          done(undefined);
        }
      },
      onGone: () => done(undefined),
      onViolation: () => done(undefined),
    };
    child.send({ kind: 'map', run: child.executions }, JSON.stringify(stacksJson), mapJson);
  });
}
