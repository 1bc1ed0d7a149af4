import type { LoadAnswer } from '../boundary.ts';
import { describeThrown } from './describe.ts';
import { apply, jsonStringify, keys, mapForEach, mapGet, mapSet, mapSize, SafeError, SafeFunction, SafeMap, slice } from './primordials.ts';

const MAX_TYPES = 256;

/** A plug-in type of the bundle; what was read of it is read once. */
interface PluginType {
  readonly self: object;
  readonly execute: (context: object) => unknown;
  readonly stepsJson: string;
}

let moduleObject: { exports: unknown } | undefined;
let loadAnswer = '';
let types: Map<string, PluginType> | undefined;
/** Entries of `types()` for exports that cannot be types: the push refuses the bundle and names them. */
let refusedJson = '';
let refused = 0;

export const lastLoadAnswer = (): string => loadAnswer;

/**
 * `new Function` parses the text as a function body on its own, so a bundle cannot close the wrapper and go on outside of it. The file name goes in by a
 * comment at the end, where it wins over one of the bundle's own.
 */
export function loadBundle(code: string, fileName: string): string {
  loadAnswer = tryLoad(code, fileName);
  return loadAnswer;
}

function tryLoad(code: string, fileName: string): string {
  let body: (module: object, exports: unknown) => unknown;
  try {
    body = new SafeFunction('module', 'exports', `${code}\n//# sourceURL=${fileName}`) as typeof body;
  } catch (error) {
    return failedLoad('not-parseable', error);
  }
  const fresh: { exports: unknown } = { exports: {} };
  try {
    apply(body, fresh.exports, [fresh, fresh.exports]);
  } catch (error) {
    return failedLoad('throws-at-load', error);
  }
  moduleObject = fresh;
  return '{"ok":true}';
}

function failedLoad(broke: Extract<LoadAnswer, { readonly ok: false }>['broke'], error: unknown): string {
  return `{"ok":false,"broke":"${broke}","thrown":${describeThrown(error)}}`;
}

/** Guest code runs here (getters), inside a timed call; a throw of it is the caller's to describe. */
function readTypes(): Map<string, PluginType> {
  if (types !== undefined) return types;
  if (moduleObject === undefined) throw new SafeError('No bundle is loaded.');
  const found = new SafeMap<string, PluginType>();
  const exported = moduleObject.exports;
  if (isObject(exported) && !addType(found, 'default', exported)) {
    const names = keys(exported);
    for (let index = 0; index < names.length; index += 1) {
      const name = names[index] as string;
      addType(found, name, (exported as Record<string, unknown>)[name]);
    }
  }
  types = found;
  return found;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function addType(found: Map<string, PluginType>, exportName: string, value: unknown): boolean {
  if (!isObject(value)) return false;
  const { execute } = value as { readonly execute?: unknown };
  if (typeof execute !== 'function') {
    if ((value as { readonly kind?: unknown }).kind !== 'airlock.plugin') return false;
    return refuse(found, exportName);
  }
  const { typeName, steps } = value as { readonly typeName?: unknown; readonly steps?: unknown };
  const name = typeof typeName === 'string' && typeName !== '' ? typeName : exportName;
  if (mapGet(found, name) !== undefined) return refuse(found, name);
  checkCount(found);
  mapSet(found, name, { self: value, execute: execute as PluginType['execute'], stepsJson: stepsText(steps) });
  return true;
}

function checkCount(found: Map<string, PluginType>): void {
  if (mapSize(found) + refused >= MAX_TYPES) throw new SafeError(`The bundle exports more than ${MAX_TYPES} plug-in types.`);
}

function refuse(found: Map<string, PluginType>, name: string): true {
  checkCount(found);
  refused += 1;
  refusedJson += `,{"typeName":${jsonStringify(name)},"hasExecute":false,"steps":[]}`;
  return true;
}

/** Only a list becomes one; anything else counts as no declared steps. */
function stepsText(steps: unknown): string {
  if (steps === undefined || steps === null) return '[]';
  const text = jsonStringify(steps) as string | undefined;
  return text !== undefined && text[0] === '[' ? text : '[]';
}

export function typesJson(): string {
  try {
    let text = '';
    mapForEach(readTypes(), (type, name) => {
      text += `${text === '' ? '' : ','}{"typeName":${jsonStringify(name)},"steps":${type.stepsJson}}`;
    });
    return `{"ok":true,"types":[${text === '' ? slice(refusedJson, 1) : text + refusedJson}]}`;
  } catch (error) {
    return `{"ok":false,"thrown":${describeThrown(error)}}`;
  }
}

export function pluginType(typeName: string): PluginType {
  const found = readTypes();
  const type = mapGet(found, typeName);
  if (type !== undefined) return type;
  let names = '';
  mapForEach(found, (_, name) => {
    names += names === '' ? name : `, ${name}`;
  });
  throw new SafeError(`The bundle has no plug-in type '${typeName}'; it has: ${names === '' ? 'none' : names}.`);
}
