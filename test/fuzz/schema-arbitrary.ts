import fc from 'fast-check';
import { z } from 'zod';
import { anyJson, hazard, number } from './hostile-values.ts';

/** As much of JSON Schema as zod writes for the schemas of the protocol. */
interface Node {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly allOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly prefixItems?: readonly Node[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly format?: string;
}

/** How often a value that the schema allows is replaced by one that it may not: one in so many. */
const HOSTILE_ONE_IN = 12;
const MAX_CHARS = 64;
const MAX_ITEMS = 4;

/** Messages as a schema describes them, most of them valid; here and there a part is hostile. */
export function schemaArbitrary(schema: z.ZodType): fc.Arbitrary<unknown> {
  return arbitraryOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Node, 0);
}

const orHostile = (valid: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: valid, weight: HOSTILE_ONE_IN - 1 }, { arbitrary: anyJson, weight: 1 });

function arbitraryOf(node: Node, depth: number): fc.Arbitrary<unknown> {
  if (depth > 8) return fc.constant(null);
  if ('const' in node) return orHostile(fc.constant(node.const));
  if (node.enum !== undefined) return orHostile(fc.constantFrom(...node.enum));
  const choices = node.anyOf ?? node.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => arbitraryOf(choice, depth + 1)));
  switch (node.type) {
    case 'object':
      return orHostile(objectOf(node, depth));
    case 'array':
      return orHostile(arrayOf(node, depth));
    case 'string':
      return orHostile(stringOf(node));
    case 'integer':
    case 'number':
      return orHostile(numberOf(node));
    case 'boolean':
      return orHostile(fc.boolean());
    case 'null':
      return fc.constant(null);
    default:
      return anyJson;
  }
}

function objectOf({ properties = {}, required = [], additionalProperties }: Node, depth: number): fc.Arbitrary<unknown> {
  const known = Object.fromEntries(Object.entries(properties).map(([name, node]) => [name, arbitraryOf(node, depth + 1)]));
  const record = fc.record(known, { requiredKeys: required.filter((name) => name in known) });
  if (typeof additionalProperties !== 'object') return record;
  const more = fc.dictionary(fc.oneof(fc.string({ maxLength: 16 }), hazard), arbitraryOf(additionalProperties, depth + 1), { maxKeys: MAX_ITEMS });
  return fc.tuple(record, more).map(([own, others]) => ({ ...others, ...own }));
}

function arrayOf({ items, prefixItems, minItems = 0, maxItems = MAX_ITEMS }: Node, depth: number): fc.Arbitrary<unknown> {
  if (prefixItems !== undefined) return fc.tuple(...prefixItems.map((item) => arbitraryOf(item, depth + 1)));
  return fc.array(items === undefined ? anyJson : arbitraryOf(items, depth + 1), {
    minLength: minItems,
    maxLength: Math.max(minItems, Math.min(maxItems, MAX_ITEMS)),
  });
}

function stringOf({ pattern, format, minLength = 0, maxLength = MAX_CHARS }: Node): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'base64') return fc.base64String({ maxLength: 64 });
  // Look-ahead, which zod's patterns for formats hold, is not what the generator of strings knows.
  if (pattern !== undefined && !pattern.includes('(?')) return fc.stringMatching(new RegExp(pattern));
  const least = Math.min(minLength, MAX_CHARS);
  return fc.oneof(fc.string({ minLength: least, maxLength: Math.max(least, Math.min(maxLength, MAX_CHARS)) }), hazard);
}

function numberOf({ minimum, exclusiveMinimum, maximum, type }: Node): fc.Arbitrary<number> {
  const least = Math.ceil(Math.max(minimum ?? (exclusiveMinimum === undefined ? -(2 ** 31) : exclusiveMinimum + 1), -(2 ** 31)));
  const most = Math.floor(Math.min(maximum ?? 2 ** 31 - 1, 2 ** 31 - 1));
  const valid = fc.integer({ min: Math.min(least, most), max: Math.max(least, most) });
  return type === 'integer' ? fc.oneof(valid, fc.constantFrom(least, most)) : fc.oneof(valid, number);
}
