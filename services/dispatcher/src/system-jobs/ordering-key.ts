import { createHash } from 'node:crypto';
import type { JsonValue, StageState, Step } from '@airlock/pipeline';

const MAX_VALUE_CHARS = 128;

/**
 * Jobs of a step with the same key run one at a time, in the order in which they were queued. Rows without a value share one
 * key: running them side by side would break the promise for the row whose value is filled in later.
 */
export function orderingKeyOf(step: Step, regarding: string | null, state: StageState): string | null {
  const { orderingKey } = step;
  if (orderingKey === undefined || orderingKey === '') return null;
  const value = orderingKey === 'regarding' ? (regarding ?? '') : textOf(attributesOf(state)[orderingKey]);
  return `${step.id}:${value.length > MAX_VALUE_CHARS ? createHash('sha256').update(value).digest('hex') : value}`;
}

function attributesOf({ inputParameters }: StageState): Readonly<Record<string, JsonValue | undefined>> {
  const target = inputParameters['Target'];
  const attributes = isObject(target) ? target['attributes'] : undefined;
  return isObject(attributes) ? attributes : {};
}

function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  if (isObject(value)) return typeof value['id'] === 'string' ? value['id'] : JSON.stringify(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isObject(value: JsonValue | undefined): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
