import { isArray, isError, slice } from './primordials.ts';

/** Values as text for trace lines: short, bounded in depth, length and count, and never an exception. */
const MAX_DEPTH = 4;
const MAX_ITEMS = 100;
const MAX_CHARS = 65_536;

interface Room {
  left: number;
  readonly seen: Set<object>;
}

/** Texts as they are, everything else as an author would write it. */
export function show(value: unknown): string {
  if (typeof value === 'string') return value;
  return inspect(value);
}

function inspect(value: unknown): string {
  try {
    return render(value, 0, { left: MAX_CHARS, seen: new Set() });
  } catch {
    return '[not readable]';
  }
}

function render(value: unknown, depth: number, room: Room): string {
  const text = typeof value === 'object' && value !== null ? renderObject(value, depth, room) : renderPlain(value, depth);
  const kept = slice(text, 0, room.left < 0 ? 0 : room.left);
  if (depth > 0) room.left -= kept.length;
  return kept;
}

function renderPlain(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return depth === 0 ? value : JSON.stringify(slice(value, 0, MAX_CHARS));
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return value.toString();
    case 'function':
      return `[function ${String(value.name)}]`;
    default:
      return Object.is(value, -0) ? '-0' : String(value);
  }
}

function renderObject(value: object, depth: number, room: Room): string {
  if (isError(value)) return String((value as Error).stack ?? value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (room.seen.has(value)) return '[circular]';
  if (depth >= MAX_DEPTH) return isArray(value) ? '[array]' : '[object]';
  room.seen.add(value);
  const text = renderMembers(value, depth + 1, room);
  room.seen.delete(value);
  return text;
}

function renderMembers(value: object, depth: number, room: Room): string {
  if (isArray(value)) return `[${list(value, (item) => render(item, depth, room), room)}]`;
  if (value instanceof Map) {
    return `Map(${value.size}) {${list(value, ([key, item]) => `${render(key, depth, room)} => ${render(item, depth, room)}`, room)}}`;
  }
  if (value instanceof Set) return `Set(${value.size}) {${list(value, (item) => render(item, depth, room), room)}}`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return `${value.constructor.name} [${list(value as Uint8Array, (item) => String(item), room)}]`;
  }
  const name = value.constructor?.name;
  const prefix = typeof name === 'string' && name !== 'Object' && name !== '' ? `${name} ` : '';
  const members = list(Object.keys(value), (key) => `${key}: ${render((value as Record<string, unknown>)[key], depth, room)}`, room);
  return members === '' ? `${prefix}{}` : `${prefix}{ ${members} }`;
}

function list<Item>(items: Iterable<Item>, each: (item: Item) => string, room: Room): string {
  const parts: string[] = [];
  for (const item of items) {
    if (parts.length >= MAX_ITEMS || room.left <= 0) {
      parts.push('…');
      break;
    }
    parts.push(each(item));
  }
  return parts.join(', ');
}
