import type { StageState } from './context.ts';
import { Stage, type StepStage } from './stage.ts';
import type { JsonValue, ParameterCollection } from './values.ts';

/** Deeper nesting than any context has; bounds the recursion of everything that walks a state. */
export const MAX_STATE_DEPTH = 64;
/** In UTF-16 units. A frame on the bus cannot carry more anyway. */
export const MAX_STATE_CHARS = 1024 * 1024;

export type ParsedStageState = { readonly ok: true; readonly state: StageState } | { readonly ok: false; readonly problem: string };

/** Keys through which an object that is later copied carelessly would reach a prototype. */
const hazardousKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads the state that a guest returned. The text is hostile: its size and nesting are checked before `JSON.parse` sees it,
 * and what comes out is built anew from null-prototype objects, without NUL and lone surrogates, which Postgres refuses.
 */
export function parseStageState(text: string): ParsedStageState {
  if (text.length > MAX_STATE_CHARS) return { ok: false, problem: `the stage state has ${text.length} characters, the limit is ${MAX_STATE_CHARS}` };
  if (nestsDeeperThan(text, MAX_STATE_DEPTH)) return { ok: false, problem: `the stage state is nested deeper than ${MAX_STATE_DEPTH} levels` };
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'the stage state is not JSON' };
  }
  const state = rebuild(raw, cleanerFor(text));
  if (!isCollection(state)) return { ok: false, problem: 'the stage state is not an object' };
  const { inputParameters, outputParameters, sharedVariables } = state;
  if (!isCollection(inputParameters)) return { ok: false, problem: 'inputParameters of the stage state is not an object' };
  if (!isCollection(outputParameters)) return { ok: false, problem: 'outputParameters of the stage state is not an object' };
  if (!isCollection(sharedVariables)) return { ok: false, problem: 'sharedVariables of the stage state is not an object' };
  return { ok: true, state: { inputParameters, outputParameters, sharedVariables } };
}

/** Counts brackets outside strings; on text that is not JSON the answer means nothing, and `JSON.parse` refuses it next. */
function nestsDeeperThan(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (inString) {
      if (unit === 0x5c /* \ */) at += 1;
      else if (unit === 0x22 /* " */) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x7b /* { */ || unit === 0x5b /* [ */) {
      depth += 1;
      if (depth > limit) return true;
    } else if (unit === 0x7d /* } */ || unit === 0x5d /* ] */) depth -= 1;
  }
  return false;
}

type CleanText = (text: string) => string;

const replaceHazards: CleanText = (text) => text.replaceAll('\u0000', '\ufffd').toWellFormed();
const asItIs: CleanText = (text) => text;

/** JSON can spell NUL only as an escape, so most texts need no look at each of their strings (on the path of every step). */
function cleanerFor(source: string): CleanText {
  return source.includes('\\u') || !source.isWellFormed() ? replaceHazards : asItIs;
}

/** Recursion is safe: the nesting was measured before. */
function rebuild(value: unknown, clean: CleanText): JsonValue {
  if (typeof value === 'string') return clean(value);
  if (typeof value === 'boolean') return value;
  // 1e999 parses to Infinity, which no JSON text can say back.
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map((member) => rebuild(member, clean));
  if (typeof value !== 'object' || value === null) return null;
  const collection = emptyCollection();
  for (const [rawKey, member] of Object.entries(value)) {
    const key = clean(rawKey);
    if (!hazardousKeys.has(key)) collection[key] = rebuild(member, clean);
  }
  return collection;
}

/** A null-prototype object: a look-up of `toString` or `constructor` finds nothing that nobody wrote. */
function emptyCollection(): Record<string, JsonValue> {
  return Object.create(null) as Record<string, JsonValue>; // `create` is typed any
}

function collectionOf(entries: Iterable<readonly [string, JsonValue]>): ParameterCollection {
  const collection = emptyCollection();
  for (const [key, value] of entries) collection[key] = value;
  return collection;
}

function isCollection(value: JsonValue | undefined): value is ParameterCollection {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where a state comes from: the stage that returned it. */
export interface StageStateOrigin {
  readonly stage: StepStage;
}

/**
 * What of a returned state counts (statements 27 to 29). `before` is what the stage was given.
 * - Input parameters: from PreValidation and PreOperation, and of those Target's attributes and the read messages' ColumnSet
 *   and Query; PostOperation comes too late. The dispatcher checks the accepted values like those of a request. Which row and
 *   table a Target or a result names stays: a guest that changed it would have its edits written or shown elsewhere.
 * - Output parameters: from PostOperation, where they exist; none may be added.
 * - Shared variables: everything but `tag`.
 */
export function acceptStageState(before: StageState, returned: StageState, { stage }: StageStateOrigin): StageState {
  const late = stage === Stage.PostOperation;
  return {
    inputParameters: late ? before.inputParameters : merge(before.inputParameters, returned.inputParameters, acceptInput),
    outputParameters: late ? merge(before.outputParameters, returned.outputParameters, acceptOutput) : before.outputParameters,
    sharedVariables: acceptShared(before.sharedVariables, returned.sharedVariables),
  };
}

type Accept = (key: string, before: JsonValue, returned: JsonValue) => JsonValue;

/** Exactly the keys of `before`: a parameter can be neither added nor taken away. */
function merge(before: ParameterCollection, returned: ParameterCollection, accept: Accept): ParameterCollection {
  return collectionOf(
    Object.entries(before).map(([key, value]) => {
      const answer = returned[key];
      return [key, answer === undefined ? value : accept(key, value, answer)];
    }),
  );
}

function acceptInput(key: string, before: JsonValue, returned: JsonValue): JsonValue {
  if (key === 'Target') return acceptRow(before, returned);
  if (key === 'ColumnSet') return Array.isArray(returned) ? returned : before;
  if (key === 'Query') return isCollection(returned) ? returned : before;
  return before;
}

function acceptOutput(key: string, before: JsonValue, returned: JsonValue): JsonValue {
  if (key === 'BusinessEntity') return acceptRow(before, returned);
  if (key === 'BusinessEntityCollection') return acceptRows(before, returned);
  // Create's and Upsert's `id` and `created` say what the platform did.
  return before;
}

/** Only the attributes of an entity; a reference (Delete, Retrieve) has none and stays as it was. */
function acceptRow(before: JsonValue, returned: JsonValue): JsonValue {
  if (!isCollection(before) || !isCollection(returned) || before['attributes'] === undefined) return before;
  const { attributes } = returned;
  return isCollection(attributes) ? collectionOf([...Object.entries(before), ['attributes', attributes]]) : before;
}

/** Rows may be edited, left out and put in another order; a row that the query did not find cannot be added. */
function acceptRows(before: JsonValue, returned: JsonValue): JsonValue {
  if (!isCollection(before) || !isCollection(returned)) return before;
  const found = new Map(rowsOf(before).map((row) => [row['id'], row]));
  const entities = rowsOf(returned).flatMap((row) => {
    const known = found.get(row['id']);
    found.delete(row['id']);
    return known === undefined ? [] : [acceptRow(known, row)];
  });
  return Array.isArray(returned['entities']) ? collectionOf([...Object.entries(before), ['entities', entities]]) : before;
}

function rowsOf({ entities }: ParameterCollection): readonly ParameterCollection[] {
  return Array.isArray(entities) ? (entities as readonly JsonValue[]).filter(isCollection) : []; // Array.isArray loses readonly
}

/** `tag` is the caller's: it can be neither changed nor made up (statement 27). */
function acceptShared(before: ParameterCollection, returned: ParameterCollection): ParameterCollection {
  const tag = before['tag'];
  const own = Object.entries(returned).filter(([key]) => key !== 'tag');
  return collectionOf(tag === undefined ? own : [...own, ['tag', tag]]);
}
