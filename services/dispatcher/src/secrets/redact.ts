import type { GuestError, Rejection } from '@airlock/pipeline';
import type { StepOutcome } from '@airlock/protocol';
import type { RunEnd } from '../bus/worker-bus.ts';
import { MIN_SECRET_CHARS, secretValues } from './secret-values.ts';

/** Takes secrets out of a text. Everything that leaves an execution as text goes through one before it is stored, logged or answered. */
export type Redact = (text: string) => string;

export const REDACTED = '[redacted]';
/** Shorter pieces of a secret in the middle of a text are not told from honest text. */
const PIECE_CHARS = 32;
const MAX_PIECES = 512;
const MAX_TRIES = 1_000;
/** Where a text was cut, in the sandbox or here; a secret may have been cut there too. */
const CUT = /(\n?\[… \d+ bytes cut …\]\n?|\n?… \d+ bytes of trace left out …\n?|\n?\[\d+ trace lines left out\]\n?|… \[cut\])/;

/**
 * By exact value. It keeps honest plug-ins from writing their secrets into the trace log; one that wants its secret out can
 * encode it in ways that nobody foresees (threat-model.md).
 */
export function createRedact(configurations: readonly string[]): Redact {
  // Longest first: a part must not break the whole apart before that is found.
  const values = [...new Set(configurations.flatMap(secretValues))].toSorted((a, b) => b.length - a.length);
  if (values.length === 0) return (text) => text;
  return (text) => {
    if (text.length < MIN_SECRET_CHARS) return text;
    const whole = values.reduce((rest, value) => redactPieces(rest.replaceAll(value, REDACTED), value), text);
    const pieces = whole.split(CUT);
    // A guest can forge marks; beyond this many, the rest counts as one piece.
    const last = pieces.length > MAX_PIECES ? [pieces.splice(MAX_PIECES).join('')] : [];
    return [...pieces, ...last].map((piece, index) => (index % 2 === 1 ? piece : redactEnds(piece, values))).join('');
  };
}

/** A long beginning or end of a long secret, wherever it is: texts are cut in many places that leave no mark. */
function redactPieces(text: string, value: string): string {
  if (value.length <= PIECE_CHARS) return text;
  return redactAround(redactAround(text, value, 'beginning'), value, 'end');
}

function redactAround(text: string, value: string, part: 'beginning' | 'end'): string {
  const anchor = part === 'beginning' ? value.slice(0, PIECE_CHARS) : value.slice(-PIECE_CHARS);
  let rest = text;
  let at = rest.indexOf(anchor);
  for (let tries = 0; at !== -1 && tries < MAX_TRIES; tries += 1) {
    let from = at;
    let to = at + PIECE_CHARS;
    if (part === 'beginning') while (to < rest.length && rest[to] === value[to - at]) to += 1;
    else while (from > 0 && rest[from - 1] === value[value.length - (to - from) - 1]) from -= 1;
    rest = rest.slice(0, from) + REDACTED + rest.slice(to);
    at = rest.indexOf(anchor, from + REDACTED.length);
  }
  return rest;
}

/** A piece of a secret that begins or ends where the text was cut. */
function redactEnds(text: string, values: readonly string[]): string {
  if (text.length < MIN_SECRET_CHARS) return text;
  return values.reduce((rest, value) => {
    const head = beginsWithEndOf(rest, value);
    const open = head === 0 ? rest : REDACTED + rest.slice(head);
    const tail = endsWithBeginningOf(open, value);
    return tail === 0 ? open : open.slice(0, -tail) + REDACTED;
  }, text);
}

/** Length of the longest beginning of `value` with which the text ends, 0 when it is shorter than any secret. */
function endsWithBeginningOf(text: string, value: string): number {
  const anchor = value.slice(0, MIN_SECRET_CHARS);
  let at = text.indexOf(anchor, Math.max(0, text.length - value.length));
  for (let tries = 0; at !== -1 && tries < MAX_TRIES; tries += 1) {
    if (value.startsWith(text.slice(at))) return text.length - at;
    at = text.indexOf(anchor, at + 1);
  }
  return 0;
}

function beginsWithEndOf(text: string, value: string): number {
  const anchor = text.slice(0, MIN_SECRET_CHARS);
  let at = value.indexOf(anchor);
  for (let tries = 0; at !== -1 && tries < MAX_TRIES; tries += 1) {
    if (text.startsWith(value.slice(at))) return value.length - at;
    at = value.indexOf(anchor, at + 1);
  }
  return 0;
}

const redactRecord = (record: Readonly<Record<string, string>>, redact: Redact) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [redact(name), redact(value)]));

function redactError({ name, message, stack, cause }: GuestError, redact: Redact): GuestError {
  const shown = { name: redact(name), message: redact(message), stack: redact(stack) };
  // The wire's schema bounds the depth of causes.
  return cause === undefined ? shown : { ...shown, cause: redactError(cause, redact) };
}

function redactRejection(rejection: Rejection, redact: Redact): Rejection {
  return { ...rejection, message: redact(rejection.message), details: redactRecord(rejection.details, redact) };
}

/** What a worker said of one execution. Its state and output are data of the operation and stay as they are. */
function redactOutcome(outcome: StepOutcome, redact: Redact): StepOutcome {
  const { observation } = outcome;
  const { thrown, protocolViolation, bundleUnavailable, throttled } = observation;
  return {
    ...outcome,
    trace: redact(outcome.trace),
    observation: {
      ...observation,
      ...(protocolViolation !== undefined && { protocolViolation: redact(protocolViolation) }),
      ...(bundleUnavailable !== undefined && { bundleUnavailable: redact(bundleUnavailable) }),
      ...(throttled !== undefined && { throttled: redact(throttled) }),
      ...(typeof thrown === 'object' && {
        thrown: {
          ...thrown,
          error: redactError(thrown.error, redact),
          ...(thrown.rejection !== undefined && { rejection: redactRejection(thrown.rejection, redact) }),
        },
      }),
    },
  };
}

/** Every outcome passes through here when it arrives, before anything is decided, stored, logged or answered of it. */
export function redactEnd(end: RunEnd, redact: Redact): RunEnd {
  if (end.kind !== 'replied' || end.reply.kind !== 'ran') return end;
  return { ...end, reply: { ...end.reply, outcomes: end.reply.outcomes.map((outcome) => redactOutcome(outcome, redact)) } };
}

const MAX_CAUSES = 4;

/** An error for the log: the same, with texts and fields that say nothing secret. */
export function redactThrown(error: unknown, redact: Redact, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? redact(error) : error;
  const fields = Object.entries(error).map(([name, value]) => [name, typeof value === 'string' ? redact(value) : value] as const);
  const shown = new Error(redact(error.message));
  Object.assign(shown, Object.fromEntries(fields.filter(([, value]) => typeof value !== 'object')));
  shown.name = error.name;
  shown.stack = redact(error.stack ?? '');
  if (error.cause !== undefined && depth < MAX_CAUSES) shown.cause = redactThrown(error.cause, redact, depth + 1);
  return shown;
}
