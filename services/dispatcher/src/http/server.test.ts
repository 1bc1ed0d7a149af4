import { connect } from 'node:net';
import fc from 'fast-check';
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
  };
  const askFor = (
    route: (typeof airlockRoutes)[number],
    role: 'user' | 'author' | 'operator',
    payload: unknown = bodies[route.path],
  ): InjectOptions => ({
    method: route.method,
    url: `/api/airlock/v1/${route.path.replace(':id', UUID.toUpperCase()).replace(':traceId', TRACE)}`,
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
    expect((await server.inject({ url: '/api/airlock/v1/traces/xyz', headers: as('operator') })).statusCode).toBe(400);
  });
});

/** What every answer of ours looks like, whatever was asked. */
function expectOurs(answer: { statusCode: number; headers: Record<string, unknown>; body: string }): void {
  expect([500, 502, 503, 504]).not.toContain(answer.statusCode);
  expect(answer.headers['odata-version']).toBe('4.0');
  if (answer.statusCode >= 400) {
    expect(answer.headers['content-type']).toBe('application/json; odata.metadata=minimal');
    expect(JSON.parse(answer.body).error).toEqual({ code: expect.any(String), message: expect.any(String) });
  }
}

describe('hostile input', () => {
  const piece = fc.constantFrom(
    '/',
    'accounts',
    '(',
    ')',
    `(${UUID})`,
    "accountnumber='x'",
    '?',
    '$filter=',
    '&',
    '%27',
    '%',
    '+',
    "'",
    '$count',
    'WhoAmI',
    'EntityDefinitions',
    '..',
    '$skiptoken=',
    'name eq 1',
    '=',
    ';',
    '//',
    '$top=1',
    '%00',
    '\u00e9',
  );
  const url = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((parts) => `${ROOT}/${parts.join('')}`),
    fc.string({ unit: 'binary' }).map((text) => `${ROOT}/accounts?$filter=${text}`),
    fc.webPath().map((path) => `${ROOT}/${path}`),
    fc.webPath().map((path) => `/api/airlock/v1/${path}`),
    fc.webPath().map((path) => `/${path}`),
  );
  const method = fc.constantFrom<Exclude<InjectOptions['method'], undefined>>('GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS');
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .dictionary(
        fc.constantFrom('name', 'accountid', 'primarycontactid@odata.bind', '__proto__', 'creditlimit', 'interests', 'createdon', '@odata.bind', 'x'),
        fc.jsonValue(),
      )
      .map((value) => Buffer.from(JSON.stringify(value))),
  );
  const header = fc.stringMatching(/^[\x20-\x7e]{0,60}$/);
  const headers = fc.record(
    { prefer: header, 'if-match': header, 'if-none-match': header, 'content-type': header, mscrmcallerid: header, traceparent: header, host: header },
    { requiredKeys: [] },
  );

  test('no request makes the server fail', async () => {
    const { server } = start();
    await fc.assert(
      fc.asyncProperty(method, url, headers, body, async (verb, path, more, payload) => {
        const answer = await server.inject({
          method: verb,
          url: path,
          headers: { ...more, ...as('operator') },
          ...(verb === 'GET' ? {} : { payload }),
        });
        expectOurs(answer);
      }),
      { numRuns: 300 },
    );
  });

  /** Sends raw bytes over a socket and gives back everything that came until the end. */
  async function exchange(port: number, bytes: Uint8Array | string): Promise<string> {
    return await new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
      socket.on('error', reject);
      socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
      socket.end(bytes);
    });
  }
  const listen = async (): Promise<number> => {
    const { server } = start();
    await server.listen({ port: 0, host: '127.0.0.1' });
    const address = server.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };

  test.for([
    ['bytes that are not HTTP', 'hello\r\n\r\n', 400],
    ['an unknown method', 'BREW /api/data/v9.2/accounts HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['headers without an end of size', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`, 431],
    ['two lengths of the body', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
    ['an absolute target', 'GET http://else.example/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 401],
    ['a method without a route', 'TRACE /api/data/v9.2/accounts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 401],
  ] as const)('%s over a socket get an answer in the shape of an error', async ([, bytes, status]) => {
    const answer = await exchange(await listen(), bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)).error).toEqual({ code: expect.any(String), message: expect.any(String) });
  });

  test('any bytes over a socket leave the server alive', async () => {
    const port = await listen();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (bytes) => {
        const answer = await exchange(port, bytes);
        expect(answer === '' || /^HTTP\/1\.1 4\d\d /.test(answer)).toBe(true);
      }),
      { numRuns: 50 },
    );
    expect(await exchange(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('a Host header that is no host name is not echoed', async () => {
    const answer = await start().server.inject({
      method: 'POST',
      url: `${ROOT}/accounts`,
      headers: as('user', { host: 'evil.example/"><script>' }),
      payload: '{}',
    });
    expect(answer.headers['odata-entityid']).toMatch(/^http:\/\/localhost\/api\/data\/v9\.2\/accounts\(/);
  });
});
