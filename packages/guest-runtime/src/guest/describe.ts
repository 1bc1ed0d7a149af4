import { RUNTIME_FILE } from '../boundary.ts';
import { createObject, indexOf, isError, jsonStringify, SafeString, slice, symbolToString } from './primordials.ts';
import { type RejectionData, rejectionOf } from './rejection.ts';

/**
 * What was thrown, as text, made inside the guest and under its time limit: the engine library reads name, message and stack of an error after
 * the timed section, where a getter or a Proxy that loops can only be ended by killing the process. So no throw of a guest gets that far.
 */
const CAUSE_DEPTH = 4;
const MAX_NAME_CHARS = 128;
const MAX_MESSAGE_CHARS = 8_192;
const MAX_STACK_CHARS = 16_384;

interface Described {
  name: string;
  message: string;
  stack: string;
  cause?: Described;
}

const UNREADABLE = '{"error":{"name":"Error","message":"What the plug-in threw could not be described.","stack":""}}';

/** `ThrownWire` JSON of any value; never throws. */
export function describeThrown(value: unknown): string {
  try {
    const rejection = rejectionOf(value);
    const envelope = createObject(null) as { error: Described; rejection?: RejectionData };
    envelope.error = describe(value, CAUSE_DEPTH, rejection);
    if (rejection !== undefined) envelope.rejection = rejection;
    return jsonStringify(envelope);
  } catch {
    return UNREADABLE;
  }
}

function described(name: string, message: string, stack: string): Described {
  const result = createObject(null) as Described;
  result.name = slice(name, 0, MAX_NAME_CHARS);
  result.message = slice(message, 0, MAX_MESSAGE_CHARS);
  result.stack = slice(withoutRuntimeFrames(slice(stack, 0, 4 * MAX_STACK_CHARS)), 0, MAX_STACK_CHARS);
  return result;
}

function describe(value: unknown, depth: number, rejection: RejectionData | undefined): Described {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return describePrimitive(value);
  const isGenuine = rejection !== undefined;
  const name = isGenuine ? 'InvalidPluginExecutionException' : read(value, 'name');
  const message = isGenuine ? rejection.message : read(value, 'message');
  const stack = read(value, 'stack');
  const result = described(
    typeof name === 'string' && name !== '' ? name : isError(value) ? 'Error' : typeof value,
    typeof message === 'string' ? message : isError(value) ? '' : 'Something that is not an Error was thrown.',
    typeof stack === 'string' ? stack : '',
  );
  const cause = depth > 0 ? read(value, 'cause') : undefined;
  if (cause !== undefined && cause !== null) result.cause = describe(cause, depth - 1, rejectionOf(cause));
  return result;
}

function describePrimitive(value: unknown): Described {
  if (typeof value === 'string') return described('string', value, '');
  if (typeof value === 'symbol') return described('symbol', symbolToString(value), '');
  return described(value === null ? 'null' : typeof value, `${SafeString(value)} was thrown.`, '');
}

/** One read, once; what a getter or a trap throws counts as absent. */
function read(value: object, name: 'name' | 'message' | 'stack' | 'cause'): unknown {
  try {
    return (value as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

/** Frames of this runtime say nothing to an author. */
export function withoutRuntimeFrames(stack: string): string {
  let kept = '';
  let from = 0;
  while (from <= stack.length) {
    const end = indexOf(stack, '\n', from);
    const line = end < 0 ? slice(stack, from) : slice(stack, from, end);
    if (indexOf(line, RUNTIME_FILE) < 0) kept += kept === '' ? line : `\n${line}`;
    if (end < 0) break;
    from = end + 1;
  }
  return kept;
}
