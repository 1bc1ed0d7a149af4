import type { GuestError } from '@airlock/pipeline';
import { type ErrorFacts, type InspectionResult, PlatformError } from '@airlock/protocol';
import { isPlainName } from './plain-text.ts';

/**
 * A bundle is refused whole, with an error that names file, line and rule. What the host measured comes before what the
 * guest says of itself: a bundle that ran out of time may also claim that it threw.
 */
export function checkInspection(bundle: { readonly name: string; readonly version: string }, result: InspectionResult): void {
  const { observation, broke } = result;
  refusePlatformTrouble(`inspection of ${bundle.name}@${bundle.version}`, result);
  const limit = passedLimit(observation);
  if (limit !== undefined) throw new PlatformError('BUNDLE_LIMIT_AT_LOAD', { problem: limit });
  if (observation.protocolViolation !== undefined) {
    throw new PlatformError('BUNDLE_LIMIT_AT_LOAD', { problem: `it broke the protocol of the sandbox: ${observation.protocolViolation}` });
  }
  if (observation.thrown !== undefined || broke !== undefined) {
    const facts = factsOf(observation.thrown === 'unreadable' ? undefined : observation.thrown?.error);
    throw new PlatformError(broke === 'not-parseable' ? 'BUNDLE_NOT_PARSEABLE' : 'BUNDLE_THROWS_AT_LOAD', facts);
  }
  checkTypes(result.types);
}

/** Nothing is wrong with the bundle: the same push may succeed later. */
function refusePlatformTrouble(step: string, { observation, runId }: InspectionResult): void {
  const { shuttingDown, throttled, bundleUnavailable } = observation;
  if (shuttingDown) throw new PlatformError('SHUTTING_DOWN', { reference: runId });
  if (throttled !== undefined) throw new PlatformError('STEP_THROTTLED', { step, detail: throttled, reference: runId });
  if (bundleUnavailable !== undefined) throw new PlatformError('BUNDLE_UNAVAILABLE', { step, detail: bundleUnavailable, reference: runId });
}

function passedLimit(observation: InspectionResult['observation']): string | undefined {
  if (observation.deadlineFired) return 'its top-level code ran longer than allowed.';
  if (observation.cpuLimitFired) return 'its top-level code used more CPU time than allowed.';
  if (observation.heapExhausted) return 'its top-level code used more heap than allowed.';
  if (observation.residentLimitFired) return 'its top-level code used more memory than allowed.';
  if (observation.hostCallLimitFired) return 'its top-level code made more host calls than allowed.';
  if (observation.childDied) return 'it ended the sandbox process that loaded it.';
  return undefined;
}

function factsOf(error: Pick<GuestError, 'name' | 'message' | 'stack'> | undefined): ErrorFacts {
  if (error === undefined) return { problem: 'what it threw cannot be described', place: 'place unknown' };
  const problem = error.name === '' ? error.message : `${error.name}: ${error.message}`;
  return { problem, place: placeOf(error.stack) ?? 'place unknown' };
}

const PLACE = /(?:^|[\s(])([^\s()]{1,512}:\d{1,9}(?::\d{1,9})?)(?=$|[\s)])/;
const MAX_STACK_LINES = 64;
const MAX_LINE_CHARS = 1_024;

/** `src/credit.ts:12:5` of the topmost frame; the worker has mapped the stack to the author's source. */
export function placeOf(stack: string): string | undefined {
  const lines = stack.split('\n', MAX_STACK_LINES).map((line) => line.slice(0, MAX_LINE_CHARS));
  // A syntax error has its place above the message and no frame of the author's; anything else has frames.
  const frames = lines.filter((line) => /^\s*at /.test(line));
  for (const line of [...frames, ...lines]) {
    const place = PLACE.exec(line)?.[1];
    if (place !== undefined) return place;
  }
  return undefined;
}

function checkTypes(types: InspectionResult['types']): void {
  if (types.length === 0) throw new PlatformError('BUNDLE_NO_TYPES');
  const seen = new Set<string>();
  for (const { typeName, hasExecute } of types) {
    if (seen.has(typeName)) throw new PlatformError('PLUGIN_TYPE_DUPLICATE', { typeName });
    if (hasExecute === false) throw new PlatformError('PLUGIN_TYPE_INVALID', { typeName });
    if (!isPlainName(typeName)) {
      throw new PlatformError('BUNDLE_MANIFEST_INVALID', { problem: `the plug-in type name ${JSON.stringify(typeName)} holds control characters.` });
    }
    seen.add(typeName);
  }
}
