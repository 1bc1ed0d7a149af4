import { PlatformError } from '@airlock/protocol';
import { z } from 'zod';
import type { AirlockRequest } from './airlock-routes.ts';
import { type HttpAnswer, JSON_TYPE } from './fault-response.ts';
import { readJson } from './read-json.ts';
import { unstorablePlace } from './storable.ts';

export const noContent: HttpAnswer = { status: 204, headers: {}, body: undefined };

export function ok(value: unknown): HttpAnswer {
  return json(200, value);
}

export function json(status: 200 | 201, value: unknown): HttpAnswer {
  // Keys, settings and traces are for this caller only.
  return { status, headers: { 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-store' }, body: JSON.stringify(value) };
}

/** With `bytes`, texts of that name are stored as bytes and may hold anything. */
export function readBody<S extends z.ZodType>(
  request: AirlockRequest,
  schema: S,
  { bytes = [] }: { readonly bytes?: readonly string[] } = {},
): z.output<S> {
  return check(schema, readJson(request.body, request.jsonDepth), 'the body', bytes);
}

export function idParameter(request: AirlockRequest): string {
  return check(z.guid(), request.params['id'], 'the id in the path').toLowerCase();
}

export function planOption({ options }: AirlockRequest): { readonly plan: boolean } {
  const plan = options.get('plan') ?? 'false';
  if (plan !== 'true' && plan !== 'false') throw new PlatformError('INVALID_ARGUMENT', { problem: 'plan must be true or false.' });
  return { plan: plan === 'true' };
}

/** The query as an object, for a schema. */
export function optionsOf({ options }: AirlockRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(options);
}

export function check<S extends z.ZodType>(schema: S, value: unknown, what: string, bytes: readonly string[] = []): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    const place = unstorablePlace(parsed.data, what, bytes);
    if (place === undefined) return parsed.data;
    throw new PlatformError('PAYLOAD_INVALID', { problem: `${place.slice(0, 200)}: holds NUL or half of a surrogate pair` });
  }
  const problems = parsed.error.issues.slice(0, 5).map(({ path, message }) => `${[what, ...path.map(String)].join('.')}: ${message}`);
  throw new PlatformError('PAYLOAD_INVALID', { problem: problems.join('; ').slice(0, 2_000) });
}
