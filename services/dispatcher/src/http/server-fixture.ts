import { randomUUID } from 'node:crypto';
import type { UserId } from '@airlock/pipeline';
import { createLogger } from '@airlock/telemetry';
import type { FastifyInstance } from 'fastify';
import type { KeyStore } from '../access/keys.ts';
import type { Caller } from '../execute-message/message.ts';
import type { Role } from '../metadata/table.ts';
import type { AirlockApi, AirlockCall } from './airlock-api.ts';
import { defaultHttpLimits, type HttpLimits } from './limits.ts';
import { createRecordFixture, fixtureMetadata, type RecordFixture } from './record-fixtures.ts';
import { type Admission, createServer, type Health, type ServerDependencies } from './server.ts';

/** For tests: the real server over rows in memory. Keys are `alk_user`, `alk_author`, `alk_operator`, `alk_disabled`. */
export interface ServerFixture {
  readonly server: FastifyInstance;
  readonly records: RecordFixture;
  readonly airlockCalls: { readonly name: string; readonly call: AirlockCall; readonly rest: readonly unknown[] }[];
  readonly clock: { nowMs: number };
}

export interface ServerFixtureOptions {
  readonly limits?: Partial<HttpLimits>;
  readonly admission?: Admission;
  readonly health?: () => Promise<Health>;
  readonly executeMessage?: ServerDependencies['executeMessage'];
}

export const userIds = {
  user: '11111111-1111-4111-8111-111111111111',
  author: '22222222-2222-4222-8222-222222222222',
  operator: '33333333-3333-4333-8333-333333333333',
} as const satisfies Record<Role, string>;

const callerOf = (role: Role): Caller => {
  const userId = userIds[role] as string as UserId;
  return { userId, authenticatedUserId: userId, role };
};

const keys: Pick<KeyStore, 'authenticate' | 'findUser'> = {
  async authenticate(key) {
    const role = /^alk_(user|author|operator)$/.exec(key)?.[1];
    if (role !== undefined) return { ok: true, keyId: key, caller: callerOf(role as Role) };
    return { ok: false, reason: key === 'alk_disabled' ? 'user-disabled' : 'unknown' };
  },
  async findUser(id) {
    return id === userIds.user ? { userId: id as string as UserId, role: 'user' } : undefined;
  },
};

export function createServerFixture(options: ServerFixtureOptions = {}): ServerFixture {
  const records = createRecordFixture();
  const airlockCalls: ServerFixture['airlockCalls'] = [];
  const clock = { nowMs: 1_000_000 };
  const server = createServer({
    executeMessage: options.executeMessage ?? records.executeMessage,
    metadata: () => fixtureMetadata,
    keys,
    airlock: recordingApi(airlockCalls),
    health: options.health ?? (async () => ({ ready: true, parts: { database: 'up' } })),
    admission: options.admission ?? { enter: () => ({ ok: true, release: () => undefined }) },
    organization: { organizationId: '44444444-4444-4444-8444-444444444444', businessUnitId: '55555555-5555-4555-8555-555555555555' },
    limits: { ...defaultHttpLimits, rateUnauthenticated: 1_000_000, ratePerKey: 1_000_000, ...options.limits },
    logger: createLogger({ service: 'test', level: 'silent' }),
    nowMs: () => clock.nowMs,
  });
  return { server, records, airlockCalls, clock };
}

/** Answers every function of the API with its own name and notes what it was given. */
function recordingApi(calls: ServerFixture['airlockCalls']): AirlockApi {
  return new Proxy({} as AirlockApi, {
    get:
      (_target, name) =>
      async (call: AirlockCall, ...rest: readonly unknown[]) => {
        calls.push({ name: String(name), call, rest });
        return { name, id: randomUUID() };
      },
  });
}
