import { connect } from 'node:net';
import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { createServerFixture, type ServerFixture } from './server-fixture.ts';

const ROOT = '/api/data/v9.2';
const UUID = '99999999-9999-4999-8999-999999999999';
const open: ServerFixture[] = [];
const start = (): ServerFixture => {
  const fixture = createServerFixture();
  open.push(fixture);
  return fixture;
};
afterEach(() => Promise.all(open.splice(0).map(({ server }) => server.close())));

const as = (role: 'user' | 'operator', more: Record<string, string> = {}) => ({ authorization: `Bearer alk_${role}`, ...more });

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
