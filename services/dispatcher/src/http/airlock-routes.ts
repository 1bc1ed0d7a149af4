import { BundleUpload, JobActionRequest, NewKey, NewUser, PlatformError, Settings, StepPatch, TableDefinition } from '@airlock/protocol';
import { z } from 'zod';
import { atLeast } from '../access/may.ts';
import type { Role } from '../metadata/table.ts';
import { jobActions } from '../system-jobs/bulk-action.ts';
import type { AirlockApi, AirlockCall } from './airlock-api.ts';
import { egressRoutes } from './egress-routes.ts';
import type { HttpAnswer } from './fault-response.ts';
import { protectionRoutes } from './protection-routes.ts';
import { check, idParameter, json, noContent, ok, planOption, readBody } from './route-parts.ts';

/** What one route reads of a request. */
export interface AirlockRequest extends AirlockCall {
  readonly params: Readonly<Record<string, string>>;
  readonly options: ReadonlyMap<string, string>;
  readonly body: Buffer | undefined;
  readonly jsonDepth: number;
}

export interface AirlockRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Below `/api/airlock/v1/`; `:name` is a parameter. */
  readonly path: string;
  /** The least role that may ask. */
  readonly role: Role;
  /** Takes a body as large as a bundle. */
  readonly large?: true;
  readonly answer: (request: AirlockRequest, api: AirlockApi) => Promise<HttpAnswer>;
}

const SecureConfiguration = z.strictObject({ value: z.string().max(100_000) });
const SettingsChange = Settings.partial();
const TraceId = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hexadecimal digits');

export const airlockRoutes: readonly AirlockRoute[] = [
  ...protectionRoutes,
  ...egressRoutes,
  {
    method: 'POST',
    path: 'bundles',
    role: 'author',
    large: true,
    answer: async (request, api) =>
      ok(await api.pushBundle(request, readBody(request, BundleUpload, { bytes: ['code', 'sourceMap'] }), planOption(request))),
  },
  { method: 'GET', path: 'bundles', role: 'author', answer: async (request, api) => ok({ value: await api.listBundles(request) }) },
  { method: 'GET', path: 'steps', role: 'author', answer: async (request, api) => ok({ value: await api.listSteps(request) }) },
  { method: 'GET', path: 'plugin-types', role: 'author', answer: async (request, api) => ok({ value: await api.listPluginTypes(request) }) },
  {
    method: 'PATCH',
    path: 'steps/:id',
    role: 'author',
    answer: async (request, api) => {
      await api.patchStep(request, idParameter(request), readBody(request, StepPatch));
      return noContent;
    },
  },
  {
    method: 'PUT',
    path: 'steps/:id/secure-configuration',
    role: 'operator',
    answer: async (request, api) => {
      await api.setSecureConfiguration(request, idParameter(request), readBody(request, SecureConfiguration).value);
      return noContent;
    },
  },
  {
    method: 'POST',
    path: 'tables',
    role: 'operator',
    answer: async (request, api) => {
      const options = planOption(request);
      return json(options.plan ? 200 : 201, await api.defineTable(request, readBody(request, TableDefinition), options));
    },
  },
  { method: 'GET', path: 'settings', role: 'operator', answer: async (request, api) => ok(await api.getSettings(request)) },
  {
    method: 'PATCH',
    path: 'settings',
    role: 'operator',
    answer: async (request, api) => ok(await api.patchSettings(request, readBody(request, SettingsChange))),
  },
  {
    method: 'POST',
    path: 'users',
    role: 'operator',
    answer: async (request, api) => json(201, await api.createUser(request, readBody(request, NewUser))),
  },
  {
    method: 'POST',
    path: 'keys',
    role: 'operator',
    answer: async (request, api) => json(201, await api.issueKey(request, readBody(request, NewKey))),
  },
  {
    method: 'DELETE',
    path: 'keys/:id',
    role: 'operator',
    answer: async (request, api) => {
      await api.revokeKey(request, idParameter(request));
      return noContent;
    },
  },
  {
    method: 'POST',
    path: 'jobs/:action',
    role: 'author',
    answer: async (request, api) => {
      const action = check(z.enum(jobActions), request.params['action'], 'the action in the path');
      return ok(await api.actOnJobs(request, action, readBody(request, JobActionRequest)));
    },
  },
  { method: 'GET', path: 'jobs/:id', role: 'author', answer: async (request, api) => ok(await api.readJob(request, idParameter(request))) },
  { method: 'GET', path: 'workers', role: 'operator', answer: async (request, api) => ok(await api.listWorkers(request)) },
  {
    method: 'GET',
    path: 'traces/:traceId',
    role: 'author',
    answer: async (request, api) => {
      const traceId = check(TraceId, request.params['traceId']?.toLowerCase(), 'the trace id in the path');
      return ok({ value: await api.listTraces(request, traceId) });
    },
  },
];

export async function answerAirlock(route: AirlockRoute, request: AirlockRequest, api: AirlockApi): Promise<HttpAnswer> {
  const { role } = request.caller;
  if (!atLeast(role, route.role)) {
    throw new PlatformError('ACCESS_DENIED', { needs: `${route.method} ${route.path} needs the role "${route.role}", the caller has "${role}"` });
  }
  return await route.answer(request, api);
}
