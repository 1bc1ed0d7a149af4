import type { InjectOptions } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { airlockRoutes } from './airlock-routes.ts';
import { createServerFixture, type ServerFixture, type ServerFixtureOptions, userIds } from './server-fixture.ts';

const ROOT = '/api/data/v9.2';
const open: ServerFixture[] = [];
const start = (options?: ServerFixtureOptions): ServerFixture => {
  const fixture = createServerFixture(options);
  open.push(fixture);
  return fixture;
};
afterEach(() => Promise.all(open.splice(0).map(({ server }) => server.close())));

const as = (role: 'user' | 'author' | 'operator' | 'disabled', more: Record<string, string> = {}) => ({
  authorization: `Bearer alk_${role}`,
  ...more,
});
const UUID = '99999999-9999-4999-8999-999999999999';
const TRACE = '0af7651916cd43dd8448eb211c80319c';

describe('without a key', () => {
  test.for([
    '/',
    '/nope',
    '/api/airlock/v1/bundles',
    `${ROOT}/accounts`,
    `${ROOT}/accounts?%`,
    '/%',
    '/healthz/x',
    '//healthz',
    '/data',
    '/unknown',
    '/api/data/v9.2/%zz',
  ])('%s answers 401 in the shape of an error', async (url) => {
    const answer = await start().server.inject({ method: 'GET', url });
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toEqual({ error: { code: '0x80048306', message: expect.stringContaining('API key') } });
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="airlock"');
  });
  test.for(['alk_wrong', '', 'Basic dXNlcjpwdw==', 'Bearer', 'Bearer alk_user alk_user'])('the header %j does not sign in', async (authorization) => {
    const answer = await start().server.inject({ method: 'GET', url: `${ROOT}/WhoAmI`, headers: { authorization } });
    expect(answer.statusCode).toBe(401);
  });
  test.for(['POST', 'DELETE', 'HEAD', 'OPTIONS'] as const)('%s of a probe is not a probe', async (method) => {
    expect((await start().server.inject({ method, url: '/readyz' })).statusCode).toBe(401);
  });
  test('a disabled user is refused with 403', async () => {
    expect((await start().server.inject({ url: `${ROOT}/WhoAmI`, headers: as('disabled') })).statusCode).toBe(403);
  });
  test('health answers, and readiness with its parts', async () => {
    const ready = start().server;
    expect((await ready.inject('/healthz')).json()).toEqual({ status: 'alive' });
    expect((await ready.inject('/readyz')).json()).toEqual({ status: 'ready', database: 'up' });
    const notReady = start({ health: async () => ({ ready: false, parts: { bus: 'down' } }) }).server;
    const answer = await notReady.inject('/readyz');
    expect([answer.statusCode, answer.json()]).toEqual([503, { status: 'not ready', bus: 'down' }]);
    const broken = start({ health: () => Promise.reject(new Error('no database')) }).server;
    expect((await broken.inject('/readyz')).statusCode).toBe(503);
    expect((await broken.inject('/healthz')).statusCode).toBe(200);
  });
});

test('a flood of probes is one check a second', async () => {
  let checks = 0;
  const { server, clock } = start({
    health: async () => {
      checks += 1;
      return { ready: checks === 1, parts: {} };
    },
  });
  const probe = async () => (await server.inject('/readyz')).statusCode;
  expect(await Promise.all([probe(), probe(), probe()])).toEqual([200, 200, 200]);
  clock.nowMs += 1_000;
  expect([await probe(), checks]).toEqual([503, 2]);
});

describe('limits', () => {
  test('a body over the limit is refused with the limit, a bundle may be larger', async () => {
    const { server } = start({ limits: { bodyBytes: 100, bundleBodyBytes: 10_000 } });
    const payload = JSON.stringify({ name: 'x'.repeat(200) });
    const record = await server.inject({ method: 'POST', url: `${ROOT}/accounts`, headers: as('user'), payload });
    expect([record.statusCode, record.json().error.message]).toEqual([413, 'The request body has more than 100 bytes.']);
    const manifest = { manifestVersion: 1, name: 'a', version: '1.0.0', sdkVersion: '1' };
    const bundle = await server.inject({
      method: 'POST',
      url: '/api/airlock/v1/bundles',
      headers: as('author'),
      payload: JSON.stringify({ manifest, code: 'x'.repeat(5_000) }),
    });
    expect(bundle.statusCode).toBe(200);
    const tooLarge = await server.inject({ method: 'POST', url: '/api/airlock/v1/bundles', headers: as('author'), payload: 'x'.repeat(10_001) });
    expect([tooLarge.statusCode, tooLarge.json().error.message]).toEqual([413, 'The request body has more than 10000 bytes.']);
  });
  test('a long URL is refused with 414 and the limit', async () => {
    const answer = await start().server.inject({ url: `${ROOT}/accounts?x=${'y'.repeat(8_192)}`, headers: as('user') });
    expect([answer.statusCode, answer.json().error.message]).toEqual([414, 'The request URL has more than 8192 characters.']);
  });
  test('a deep body is refused with the limit', async () => {
    const answer = await start().server.inject({ method: 'POST', url: `${ROOT}/accounts`, headers: as('user'), payload: '['.repeat(100_000) });
    expect([answer.statusCode, answer.json().error.message]).toEqual([400, 'The request body is nested deeper than 64 levels.']);
  });
  test('requests of one key are counted apart from those of another', async () => {
    const { server, clock } = start({ limits: { ratePerKey: 2, rateWindowSeconds: 10 } });
    const ask = (role: 'user' | 'author') => server.inject({ url: `${ROOT}/WhoAmI`, headers: as(role) });
    expect([(await ask('user')).statusCode, (await ask('user')).statusCode]).toEqual([200, 200]);
    const refused = await ask('user');
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '5']);
    expect(refused.json().error).toEqual({
      code: '0x80072322',
      message: 'Number of requests exceeded the limit of 2 over time window of 10 seconds.',
    });
    expect((await ask('author')).statusCode).toBe(200);
    clock.nowMs += 5_000;
    expect((await ask('user')).statusCode).toBe(200);
  });
  test('guessing keys is limited by address', async () => {
    const { server } = start({ limits: { rateUnauthenticated: 2 } });
    const guess = () => server.inject({ url: '/', headers: { authorization: 'Bearer alk_guess' } });
    const signIn = async (role: 'user' | 'author') => (await server.inject({ url: `${ROOT}/WhoAmI`, headers: as(role) })).statusCode;
    expect(await signIn('user')).toBe(200);
    expect([(await guess()).statusCode, (await guess()).statusCode, (await guess()).statusCode]).toEqual([401, 401, 429]);
    // A key that was good lately goes on; one that nobody has seen waits.
    expect([await signIn('user'), await signIn('author')]).toEqual([200, 429]);
  });
  test('a full server answers 503 with the time to wait, and every admission is given back', async () => {
    let entered = 0;
    let isFull = false;
    const { server } = start({
      admission: {
        enter: () => {
          if (isFull) return { ok: false, limit: 64, retryAfterSeconds: 3 };
          entered++;
          return { ok: true, release: () => void entered-- };
        },
      },
    });
    await server.inject({ url: `${ROOT}/WhoAmI`, headers: as('user') });
    await server.inject({ url: `${ROOT}/nope`, headers: as('user') });
    expect(entered).toBe(0);
    isFull = true;
    const answer = await server.inject({ url: `${ROOT}/WhoAmI`, headers: as('user') });
    expect([answer.statusCode, answer.headers['retry-after'], answer.json().error.code]).toEqual([503, '3', '0x80072326']);
  });
});

describe('trace', () => {
  test('a caller’s trace goes on in the message and the answer', async () => {
    const { server, records } = start();
    const answer = await server.inject({ url: `${ROOT}/accounts`, headers: as('user', { traceparent: `00-${TRACE}-b7ad6b7169203331-01` }) });
    expect(answer.headers['x-airlock-trace-id']).toBe(TRACE);
    expect(answer.headers['traceparent']).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
    expect(records.requests[0]?.trace.traceId).toBe(TRACE);
    expect(answer.headers['x-ms-service-request-id']).toBe(records.requests[0]?.requestId);
    expect(answer.headers['req_id']).toBe(records.requests[0]?.requestId);
  });
  test('a broken traceparent starts a new trace', async () => {
    const answer = await start().server.inject({ url: '/nope', headers: as('user', { traceparent: 'x' }) });
    expect(answer.headers['x-airlock-trace-id']).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('impersonation', () => {
  test.for(['MSCRMCallerID', 'MSCRMCallerId', 'CallerObjectId'])('an operator acts for another user with %s, with that user’s role', async (name) => {
    const { server, records } = start();
    await server.inject({ url: `${ROOT}/accounts`, headers: as('operator', { [name]: userIds.user.toUpperCase() }) });
    expect(records.requests[0]?.caller).toEqual({ userId: userIds.user, role: 'user', authenticatedUserId: userIds.operator });
  });
  test('is refused to others, and for users that are not there', async () => {
    const { server } = start();
    const ask = (role: 'author' | 'operator', id: string) => server.inject({ url: `${ROOT}/WhoAmI`, headers: as(role, { mscrmcallerid: id }) });
    expect((await ask('author', userIds.user)).statusCode).toBe(403);
    expect((await ask('operator', UUID)).statusCode).toBe(404);
    expect((await ask('operator', "' or 1=1")).statusCode).toBe(404);
  });
});

describe('the API of Airlock itself', () => {
  const bodies: Readonly<Record<string, unknown>> = {
    bundles: { manifest: { manifestVersion: 1, name: 'a', version: '1.0.0', sdkVersion: '1' }, code: 'x' },
    'steps/:id': { enabled: false },
    'steps/:id/secure-configuration': { value: 'secret' },
    tables: {
      logicalName: 'car',
      displayName: 'Car',
      displayCollectionName: 'Cars',
      entitySetName: 'cars',
      primaryNameAttribute: 'name',
      columns: [{ logicalName: 'name', displayName: 'Name', type: 'string' }],
    },
    settings: { maxDepth: 4 },
    users: { fullname: 'A', role: 'user' },
    keys: { systemuserid: UUID, name: 'k' },
    'jobs/:action': { ids: [UUID] },
    'signing-keys': { name: 'k', publicKey: 'PEM' },
    'steps/:id/egress-grants': { host: 'example.com', methods: ['GET'] },
  };
  const queries: Readonly<Record<string, string>> = { 'DELETE bundles': '?name=a' };
  const askFor = (
    route: (typeof airlockRoutes)[number],
    role: 'user' | 'author' | 'operator',
    payload: unknown = bodies[route.path],
  ): InjectOptions => ({
    method: route.method,
    url: `/api/airlock/v1/${route.path.replace(':id', UUID.toUpperCase()).replace(':grantId', UUID).replace(':traceId', TRACE).replace(':action', 'cancel')}${queries[`${route.method} ${route.path}`] ?? ''}`,
    headers: as(role, { 'content-type': 'application/json' }),
    ...(route.method === 'GET' || route.method === 'DELETE' ? {} : { payload: JSON.stringify(payload) }),
  });

  test.for(airlockRoutes)('$method $path is for $role and above', async (route) => {
    const { server, airlockCalls } = start();
    expect((await server.inject(askFor(route, 'user'))).statusCode).toBe(403);
    if (route.role === 'operator') expect((await server.inject(askFor(route, 'author'))).statusCode).toBe(403);
    expect(airlockCalls).toEqual([]);
    const answer = await server.inject(askFor(route, 'operator'));
    expect(answer.statusCode).toBeLessThan(300);
    expect(airlockCalls).toHaveLength(1);
    expect(airlockCalls[0]?.call.caller.userId).toBe(userIds.operator);
  });
  test.for(airlockRoutes.filter(({ method }) => method !== 'GET' && method !== 'DELETE'))(
    '$method $path refuses a body of another shape',
    async (route) => {
      const { server, airlockCalls } = start();
      for (const payload of [[], 5, { enabled: 'x', value: 5, maxDepth: 99 }]) {
        const answer = await server.inject(askFor(route, 'operator', payload));
        expect([answer.statusCode, answer.json().error.code]).toEqual([400, '0x80048d19']);
      }
      expect(airlockCalls).toEqual([]);
    },
  );
  test('ids and flags are read from the URL', async () => {
    const { server, airlockCalls } = start();
    await server.inject({
      ...askFor({ ...airlockRoutes[0], path: 'bundles', method: 'POST' } as (typeof airlockRoutes)[number], 'author'),
      url: '/api/airlock/v1/bundles?plan=true',
    });
    expect(airlockCalls[0]).toMatchObject({ name: 'pushBundle', rest: [{ code: 'x' }, { plan: true }] });
    await server.inject({ method: 'DELETE', url: `/api/airlock/v1/keys/${UUID.toUpperCase()}`, headers: as('operator') });
    expect(airlockCalls[1]).toMatchObject({ name: 'revokeKey', rest: [UUID] });
    expect((await server.inject({ method: 'DELETE', url: '/api/airlock/v1/keys/1', headers: as('operator') })).statusCode).toBe(400);
    for (const url of ['audit?top=0', 'audit?top=x', 'audit?before=1', 'audit?whose=mine', `audit?objectId=${'x'.repeat(200)}`]) {
      expect((await server.inject({ url: `/api/airlock/v1/${url}`, headers: as('operator') })).statusCode).toBe(400);
    }
    for (const url of ['bundles', 'bundles?name=', 'bundles?name=a&digest=b']) {
      expect((await server.inject({ method: 'DELETE', url: `/api/airlock/v1/${url}`, headers: as('operator') })).statusCode).toBe(400);
    }
    expect((await server.inject({ url: '/api/airlock/v1/traces/xyz', headers: as('operator') })).statusCode).toBe(400);
  });
});
