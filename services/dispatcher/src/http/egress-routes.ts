import { NewEgressGrant } from '@airlock/protocol';
import { z } from 'zod';
import type { AirlockRoute } from './airlock-routes.ts';
import { check, idParameter, json, noContent, ok, optionsOf, readBody } from './route-parts.ts';

const LedgerOptions = z.strictObject({
  stepId: z.guid().optional(),
  top: z.coerce.number().int().min(1).max(1_000).default(100),
  before: z.guid().optional(),
});

/** Which hosts a step may reach, and what was reached. */
export const egressRoutes: readonly AirlockRoute[] = [
  {
    method: 'POST',
    path: 'steps/:id/egress-grants',
    role: 'operator',
    answer: async (request, api) => json(201, await api.grantEgress(request, idParameter(request), readBody(request, NewEgressGrant))),
  },
  {
    method: 'GET',
    path: 'steps/:id/egress-grants',
    role: 'operator',
    answer: async (request, api) => ok({ value: await api.listEgressGrants(request, idParameter(request)) }),
  },
  {
    method: 'DELETE',
    path: 'steps/:id/egress-grants/:grantId',
    role: 'operator',
    answer: async (request, api) => {
      const grantId = check(z.guid(), request.params['grantId'], 'the id of the grant in the path').toLowerCase();
      await api.revokeEgressGrant(request, idParameter(request), grantId);
      return noContent;
    },
  },
  {
    method: 'GET',
    path: 'egress-log',
    role: 'operator',
    answer: async (request, api) => ok({ value: await api.readEgressLog(request, check(LedgerOptions, optionsOf(request), 'the query')) }),
  },
];
