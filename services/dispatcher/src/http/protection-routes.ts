import { NewSigningKey } from '@airlock/protocol';
import { z } from 'zod';
import type { AirlockRoute } from './airlock-routes.ts';
import { check, idParameter, json, noContent, ok, optionsOf, readBody } from './route-parts.ts';

const AuditOptions = z.strictObject({
  objectType: z.string().max(64).optional(),
  objectId: z.string().max(128).optional(),
  top: z.coerce.number().int().min(1).max(1_000).default(100),
  before: z.guid().optional(),
});
const BundleOptions = z.strictObject({ name: z.string().min(1).max(128), version: z.string().min(1).max(64).optional() });

/** What protects the registrations: signing keys, the audit log, and the removal of bundles. */
export const protectionRoutes: readonly AirlockRoute[] = [
  {
    method: 'DELETE',
    path: 'bundles',
    role: 'author',
    answer: async (request, api) => {
      const { name, version } = check(BundleOptions, optionsOf(request), 'the query');
      await api.removeBundle(request, { name, ...(version !== undefined && { version }) });
      return noContent;
    },
  },
  {
    method: 'POST',
    path: 'signing-keys',
    role: 'operator',
    answer: async (request, api) => json(201, await api.registerSigningKey(request, readBody(request, NewSigningKey))),
  },
  { method: 'GET', path: 'signing-keys', role: 'author', answer: async (request, api) => ok({ value: await api.listSigningKeys(request) }) },
  {
    method: 'DELETE',
    path: 'signing-keys/:id',
    role: 'operator',
    answer: async (request, api) => {
      await api.revokeSigningKey(request, idParameter(request));
      return noContent;
    },
  },
  {
    method: 'GET',
    path: 'audit',
    role: 'operator',
    answer: async (request, api) => ok({ value: await api.readAudit(request, check(AuditOptions, optionsOf(request), 'the query')) }),
  },
];
