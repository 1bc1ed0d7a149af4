import type { GuestError, Rejection } from '@airlock/pipeline';
import type { StepOutcome } from '@airlock/protocol';
import type { RunEnd } from '../bus/run-order.ts';
import { createSecretIndex } from './secret-index.ts';
import { MIN_SECRET_CHARS, secretValues } from './secret-values.ts';

/** Takes secrets out of a text. Everything that leaves an execution as text goes through one before it is stored, logged or answered. */
export type Redact = (text: string) => string;

export const REDACTED = '[redacted]';
/** Shorter pieces of a secret in the middle of a text are not told from honest text. */
const PIECE_CHARS = 32;
const MAX_CUTS = 256;
const MAX_TRIES = 1_000;
/** Where a text was cut, in the sandbox or here; a secret may have been cut there too. */
const CUT = /\n?\[… \d+ bytes cut …\]\n?|\n?… \d+ bytes of trace left out …\n?|\n?\[\d+ trace lines left out\]\n?|… \[cut\]/g;

/** Where a value is noticed: at its beginning, and for a long one at its last piece. */
const anchorsOf = (value: string) => (value.length > PIECE_CHARS ? [0, value.length - PIECE_CHARS] : [0]);

/**
 * By exact value. It keeps honest plug-ins from writing their secrets into the trace log; one that wants its secret out can
 * encode it in ways that nobody foresees (threat-model.md).
 */
export function createRedact(configurations: readonly string[]): Redact {
  // Longest first: a part must not break the whole apart before that is found.
  const values = [...new Set(configurations.flatMap(secretValues))].toSorted((a, b) => b.length - a.length);
  if (values.length === 0) return (text) => text;
  const index = createSecretIndex(values, anchorsOf);
  return (text) => {
    if (text.length < MIN_SECRET_CHARS) return text;
    const present = index.candidates(text);
    const whole = present.reduce((rest, value) => redactPieces(rest.replaceAll(value, REDACTED), value), text);
    return betweenCuts(whole, (piece) => redactEnds(piece, present, index.mayBeginInside(piece) ? values : []));
  };
}

/** Applies `change` to what stands between the marks of cuts. A guest can forge marks; beyond some hundred, the rest counts as one piece. */
function betweenCuts(text: string, change: (piece: string) => string): string {
  let done = '';
  let from = 0;
  let cuts = 0;
  for (const cut of text.matchAll(CUT)) {
    done += change(text.slice(from, cut.index)) + cut[0];
    from = cut.index + cut[0].length;
    cuts += 1;
    if (cuts === MAX_CUTS) break;
  }
  return done + change(text.slice(from));
}

/** A long beginning or end of a long secret, wherever it is: texts are cut in many places that leave no mark. */
function redactPieces(text: string, value: string): string {
  if (value.length <= PIECE_CHARS) return text;
  return redactAround(redactAround(text, value, 'beginning'), value, 'end');
}

function redactAround(text: string, value: string, part: 'beginning' | 'end'): string {
  const anchor = part === 'beginning' ? value.slice(0, PIECE_CHARS) : value.slice(-PIECE_CHARS);
  let done = '';
  let last = 0;
  for (let at = text.indexOf(anchor); at !== -1; at = text.indexOf(anchor, last)) {
    let from = at;
    let to = at + PIECE_CHARS;
    if (part === 'beginning') while (to < text.length && text[to] === value[to - at]) to += 1;
    else while (from > last && text[from - 1] === value[value.length - (to - from) - 1]) from -= 1;
    done += text.slice(last, from) + REDACTED;
    last = to;
  }
  return done + text.slice(last);
}

/** A piece of a secret, of eight characters or more, with which the text begins or ends because it was cut there. */
function redactEnds(text: string, atEnd: readonly string[], atBeginning: readonly string[]): string {
  const begun = atBeginning.reduce((rest, value) => {
    const head = beginsWithEndOf(rest, value);
    return head === 0 ? rest : REDACTED + rest.slice(head);
  }, text);
  return atEnd.reduce((rest, value) => {
    const tail = endsWithBeginningOf(rest, value);
    return tail === 0 ? rest : rest.slice(0, -tail) + REDACTED;
  }, begun);
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
  if (text.length < MIN_SECRET_CHARS) return 0;
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
