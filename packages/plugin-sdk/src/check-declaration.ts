import { PluginDeclarationError } from './declaration-error.ts';

/** The shape of one value: `undefined` when it fits, otherwise what is wrong with it. */
type Check = (value: unknown) => string | undefined;

const shown = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : value === null ? 'null' : typeof value);

const oneOf =
  (...allowed: readonly string[]): Check =>
  (value) =>
    allowed.includes(value as string) ? undefined : `must be ${allowed.map((name) => `"${name}"`).join(' or ')}, not ${shown(value)}`;
const text =
  (max: number, min = 0): Check =>
  (value) =>
    typeof value === 'string' && value.length >= min && value.length <= max
      ? undefined
      : `must be a text of ${min} to ${max} characters, not ${shown(value)}`;
const flag: Check = (value) => (typeof value === 'boolean' ? undefined : `must be true or false, not ${shown(value)}`);
const integer: Check = (value) =>
  Number.isInteger(value) && Math.abs(value as number) <= 2_147_483_647 ? undefined : `must be a 32-bit whole number, not ${shown(value)}`;
const positive: Check = (value) =>
  Number.isInteger(value) && (value as number) > 0 ? undefined : `must be a whole number above 0, not ${shown(value)}`;
const texts: Check = (value) =>
  Array.isArray(value) && value.length <= 512 && value.every((item) => text(128, 1)(item) === undefined)
    ? undefined
    : `must be a list of at most 512 column names, not ${shown(value)}`;

const limitNames = ['wallMs', 'cpuMs', 'heapBytes', 'residentBytes', 'traceBytes', 'hostCalls', 'hostCallsInFlight', 'hostCallBytes'];
const limitFields = Object.fromEntries(limitNames.map((name) => [name, positive]));

const imageFields = {
  alias: text(256, 1),
  type: oneOf('PreImage', 'PostImage', 'Both'),
  columns: texts,
  messageProperty: text(256, 1),
} satisfies Record<string, Check>;

const nested: Check = () => undefined;
const stepFields = {
  name: text(256, 1),
  message: text(256, 1),
  table: text(128, 1),
  stage: oneOf('PreValidation', 'PreOperation', 'PostOperation'),
  mode: oneOf('Synchronous', 'Asynchronous'),
  rank: integer,
  filteringAttributes: texts,
  images: nested,
  runAs: text(64, 1),
  configuration: text(100_000),
  asyncAutoDelete: flag,
  orderingKey: text(128, 1),
  maxConcurrency: positive,
  priority: integer,
  enabled: flag,
  limits: nested,
  description: text(256),
} satisfies Record<string, Check>;

/**
 * Checks what needs no knowledge of the platform's tables; the push checks the rest. Throws {@link PluginDeclarationError} at the first
 * wrong part.
 */
export function checkDeclaration(declaration: unknown): void {
  const { steps, execute } = fieldsOf(declaration, 'the argument', { typeName: text(256, 1), steps: nested, execute: nested }, []);
  if (typeof execute !== 'function') throw new PluginDeclarationError('execute', `must be a function, not ${shown(execute)}`);
  const list = listOf(steps, 'steps', 64);
  const names = new Set<string>();
  for (const [index, step] of list.entries()) {
    const place = `steps[${index}]`;
    const { name } = checkStep(step, place);
    if (typeof name !== 'string') continue;
    if (names.has(name)) throw new PluginDeclarationError(`${place}.name`, `is ${shown(name)}, as an earlier step's is`);
    names.add(name);
  }
}

function checkStep(step: unknown, place: string): Readonly<Record<string, unknown>> {
  const fields = fieldsOf(step, place, stepFields, ['message', 'stage']);
  if (fields['mode'] === 'Asynchronous' && fields['stage'] !== 'PostOperation') {
    throw new PluginDeclarationError(`${place}.mode`, `is "Asynchronous", which only the stage "PostOperation" allows`);
  }
  if (fields['limits'] !== undefined) fieldsOf(fields['limits'], `${place}.limits`, limitFields, []);
  const aliases = new Set<unknown>();
  for (const [index, image] of listOf(fields['images'], `${place}.images`, 32).entries()) {
    const { alias } = fieldsOf(image, `${place}.images[${index}]`, imageFields, ['alias', 'type']);
    if (aliases.has(alias)) throw new PluginDeclarationError(`${place}.images[${index}].alias`, `is ${shown(alias)}, as an earlier image's is`);
    aliases.add(alias);
  }
  return fields;
}

function listOf(value: unknown, place: string, max: number): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > max) throw new PluginDeclarationError(place, `must be a list of at most ${max}, not ${shown(value)}`);
  return value;
}

function fieldsOf(
  value: unknown,
  place: string,
  checks: Readonly<Record<string, Check>>,
  required: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new PluginDeclarationError(place, `must be an object, not ${shown(value)}`);
  const inner = (field: string): string => (place === 'the argument' ? field : `${place}.${field}`);
  for (const field of required) {
    if (!Object.hasOwn(value, field)) throw new PluginDeclarationError(inner(field), 'is missing');
  }
  for (const [field, item] of Object.entries(value)) {
    const check = Object.hasOwn(checks, field) ? checks[field] : undefined;
    if (check === undefined) throw new PluginDeclarationError(inner(field), `is not known; known are ${Object.keys(checks).join(', ')}`);
    const problem = item === undefined ? undefined : check(item);
    if (problem !== undefined) throw new PluginDeclarationError(inner(field), problem);
  }
  return value as Readonly<Record<string, unknown>>;
}
