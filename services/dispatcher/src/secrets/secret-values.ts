import { cleanText } from '@airlock/protocol';
import { GRAM_CHARS } from './secret-index.ts';

/** Shorter ones occur in honest text all the time, and can be guessed anyway. */
export const MIN_SECRET_CHARS = GRAM_CHARS;
/** Parts that are looked for beside the whole; a configuration with more is a data set and not a secret. */
const MAX_PARTS = 200;
const MAX_DEPTH = 16;

/**
 * All that must not be shown of one secure configuration: the whole, and what a plug-in takes out of it (values of JSON, lines, values of
 * `name=value` pairs and of XML), each as it is and as JSON, a URL or our own cleaning would write it.
 */
export function secretValues(configuration: string): readonly string[] {
  const parts = new Set<string>([configuration, configuration.trim(), ...partsOf(configuration)]);
  const forms = new Set<string>();
  for (const part of parts) for (const form of formsOf(part)) if (form.length >= MIN_SECRET_CHARS) forms.add(form);
  return [...forms];
}

function partsOf(configuration: string): readonly string[] {
  const parts = leavesOf(parseJson(configuration), 0) ?? pairsOf(configuration);
  return parts.filter((part) => part.length >= MIN_SECRET_CHARS).slice(0, MAX_PARTS);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `undefined`: it is no JSON. */
function leavesOf(value: unknown, depth: number): string[] | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return [];
  return Object.values(value).flatMap((item) => leavesOf(item, depth + 1) ?? []);
}

const PAIR_OR_ELEMENT = /(?:[=:][ \t]*["']?|>)([^"'<>;\r\n]+)/g;

function pairsOf(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return [...lines, ...[...text.matchAll(PAIR_OR_ELEMENT)].map(([, value = '']) => value.trim())];
}

function formsOf(value: string): string[] {
  const json = asJson(value);
  return [value, cleanText(value, value.length), json, asJson(json), encodeURIComponent(value.toWellFormed())];
}

function asJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
