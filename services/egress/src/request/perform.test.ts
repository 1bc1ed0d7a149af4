import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { EgressOrder, EgressTarget } from '@airlock/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isGlobalUnicast } from '../addresses/global-unicast.ts';
import type { Resolve } from '../addresses/resolve.ts';
import { type PerformOptions, perform } from './perform.ts';
import { isRemoved } from './request-headers.ts';

/** Names lead to the local server, which counts as public here; every other address is judged by the rule. */
const NAME = 'shop.example';
const seen: { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: string }[] = [];
let handle: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
    handle(request, response);
  });
});
let rawAnswer: Buffer | string = '';
const rawServer = createTcpServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', () => socket.end(rawAnswer));
});
const portOf = (one: Server): number => (one.address() as AddressInfo).port;

beforeAll(async () => {
  for (const one of [server, rawServer]) await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rawServer.close();
});
beforeEach(() => {
  seen.length = 0;
  handle = (_, response) => response.end('ok');
});

const toLocal: Resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
const target = (over: Partial<EgressTarget> = {}): EgressTarget => ({
  scheme: 'http',
  host: NAME,
  port: portOf(server),
  methods: ['GET', 'POST'],
  ...over,
});
const orderOf = (request: Partial<EgressOrder['request']> = {}, over: Partial<EgressOrder> = {}): EgressOrder => ({
  version: 1,
  kind: 'perform',
  requestId: 'r',
  dispatcherId: 'd',
  timeoutMs: 5_000,
  responseBytes: 10_000,
  targets: [target()],
  request: { url: `http://${NAME}:${portOf(server)}/`, method: 'GET', headers: [], redirect: 'follow', ...request },
  ...over,
});
const options = (over: Partial<PerformOptions> = {}): PerformOptions => ({
  resolve: toLocal,
  isAllowedAddress: (address) => address === '127.0.0.1' || isGlobalUnicast(address),
  allowPlainHttp: true,
  signal: AbortSignal.timeout(20_000),
  nowMs: () => performance.now(),
  ...over,
});
const run = (order: EgressOrder, over: Partial<PerformOptions> = {}) => perform(order, options(over));
const textOf = async (order: EgressOrder): Promise<string> => {
  const { end } = await run(order);
  return end.ok ? Buffer.from(end.answer.body, 'base64').toString() : end.refusal;
};
const refusalOf = async (order: EgressOrder, over: Partial<PerformOptions> = {}): Promise<string> => {
  const { end } = await run(order, over);
  return end.ok ? `status ${end.answer.status}` : end.refusal;
};

test('only exactly the granted scheme, host, port and method is reached', async () => {
  const port = portOf(server);
  for (const url of [
    `http://other.example:${port}/`,
    `http://${NAME}./`,
    `http://sub.${NAME}:${port}/`,
    `http://${NAME}:${port + 1}/`,
    `https://${NAME}:${port}/`,
  ]) {
    expect(await refusalOf(orderOf({ url })), url).toBe('not-granted');
  }
  expect(await refusalOf(orderOf({ method: 'DELETE' }))).toBe('not-granted');
  expect(seen).toEqual([]);
  expect(await refusalOf(orderOf({ url: `HTTP://SHOP.Example:${port}` }))).toBe('status 200');
});

test('addresses without a host, with user information, or of another kind are refused', async () => {
  const at = `${NAME}:${portOf(server)}`;
  for (const url of [
    `http://user@${at}/`,
    `http://user:secret@${at}/`,
    `http://:secret@${at}/`,
    'file:///etc/passwd',
    'data:,x',
    'ws://shop.example',
    '/relative',
    'http://',
    `http://${NAME}:0/`,
  ]) {
    expect(await refusalOf(orderOf({ url }, { targets: [target(), target({ port: 1 })] })), url).toBe('url-invalid');
  }
  expect(seen).toEqual([]);
});

test('an address that is not public is refused in every notation, though it is granted', async () => {
  const hosts = [
    '127.0.0.1',
    '0x7f000001',
    '2130706433',
    '0177.1',
    '127.1',
    '１２７.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[::ffff:0:a9fe:a9fe]',
    '169.254.169.254',
  ];
  for (const host of hosts) {
    const url = new URL(`http://${host}:${portOf(server)}/`);
    const order = orderOf({ url: `http://${host}:${portOf(server)}/` }, { targets: [target({ host: url.hostname })] });
    expect(await refusalOf(order, { isAllowedAddress: isGlobalUnicast }), host).toBe('address-refused');
  }
  expect(seen).toEqual([]);
});

test('a name is refused when any of its addresses is not public, and the text does not say which', async () => {
  const resolve: Resolve = () =>
    Promise.resolve([
      { address: '93.184.215.14', family: 4 },
      { address: '10.1.2.3', family: 4 },
    ]);
  const { end } = await run(orderOf(), { resolve, isAllowedAddress: isGlobalUnicast });
  expect(end).toMatchObject({ ok: false, refusal: 'address-refused' });
  expect(JSON.stringify(end)).not.toContain('10.1.2.3');
});

test('a name is asked once, so that a second answer cannot lead elsewhere', async () => {
  let asked = 0;
  const resolve: Resolve = () => {
    asked += 1;
    return Promise.resolve([{ address: asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }]);
  };
  expect(await refusalOf(orderOf(), { resolve })).toBe('status 200');
  expect(asked).toBe(1);
  expect(seen).toHaveLength(1);
});

test('a name that answers with a private address when a redirect comes back to it is refused then', async () => {
  let asked = 0;
  const resolve: Resolve = () => {
    asked += 1;
    return Promise.resolve([{ address: asked === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 }]);
  };
  handle = (_, response) => response.writeHead(302, { location: '/latest/meta-data' }).end();
  expect(await refusalOf(orderOf(), { resolve })).toBe('address-refused');
  expect(seen).toHaveLength(1);
});

test('a name without an address, and one whose answer never comes, are told apart', async () => {
  expect(await refusalOf(orderOf(), { resolve: () => Promise.reject(new Error('ENOTFOUND')) })).toBe('name-unknown');
  expect(await refusalOf(orderOf(), { resolve: () => Promise.resolve([]) })).toBe('name-unknown');
  expect(await refusalOf(orderOf(), { resolve: () => new Promise(() => undefined), signal: AbortSignal.timeout(20) })).toBe('timed-out');
});

test('plain http needs the permission beside the grant', async () => {
  expect(await refusalOf(orderOf(), { allowPlainHttp: false })).toBe('scheme-off');
  expect(seen).toEqual([]);
});

test('a redirect is checked like a request: host, scheme and method', async () => {
  const port = portOf(server);
  const refused = [
    'http://other.example/',
    `http://${NAME}:${port + 1}/`,
    `https://${NAME}/`,
    '//evil.example/x',
    'file:///etc/passwd',
    `http://user@${NAME}:${port}/`,
  ];
  for (const location of refused) {
    handle = (_, response) => response.writeHead(302, { location }).end();
    expect(['not-granted', 'url-invalid'], location).toContain(await refusalOf(orderOf()));
  }
  handle = ({ url }, response) => (url === '/' ? response.writeHead(307, { location: '/next' }).end() : response.end('there'));
  const { end, hops } = await run(orderOf({ method: 'POST', body: Buffer.from('b').toString('base64') }));
  expect(end).toMatchObject({ ok: true, answer: { redirected: true, url: `http://${NAME}:${port}/next` } });
  expect(hops.map(({ method, status }) => [method, status])).toEqual([
    ['POST', 307],
    ['POST', 200],
  ]);
  expect(seen.at(-1)).toMatchObject({ method: 'POST', body: 'b' });
});

test('a redirect to another granted name whose address is private is refused', async () => {
  handle = (_, response) => response.writeHead(302, { location: `http://inside.example:${portOf(server)}/` }).end();
  const resolve: Resolve = (host) => Promise.resolve([{ address: host === NAME ? '127.0.0.1' : '10.0.0.1', family: 4 }]);
  expect(await refusalOf(orderOf({}, { targets: [target(), target({ host: 'inside.example' })] }), { resolve })).toBe('address-refused');
  expect(seen).toHaveLength(1);
});

test('credentials stay with the host that they were sent to, and a POST that is redirected by 302 becomes a GET', async () => {
  const elsewhere = 'other.example';
  handle = ({ headers }, response) =>
    headers.host?.startsWith(NAME) === true ? response.writeHead(302, { location: `http://${elsewhere}:${portOf(server)}/` }).end() : response.end();
  const headers: [string, string][] = [
    ['Authorization', 'Bearer x'],
    ['Cookie', 'a=b'],
    ['X-Other', '1'],
    ['Content-Type', 'text/plain'],
  ];
  await run(orderOf({ method: 'POST', headers, body: 'Yg==' }, { targets: [target(), target({ host: elsewhere })] }));
  expect(seen.map(({ method, body }) => [method, body])).toEqual([
    ['POST', 'b'],
    ['GET', ''],
  ]);
  expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer x', cookie: 'a=b' });
  expect(seen[1]?.headers).toMatchObject({ 'x-other': '1' });
  for (const name of ['authorization', 'cookie', 'content-type']) expect(seen[1]?.headers).not.toHaveProperty(name);
});

test('more than five redirects end', async () => {
  handle = (_, response) => response.writeHead(302, { location: '/again' }).end();
  expect(await refusalOf(orderOf())).toBe('too-many-redirects');
  expect(seen).toHaveLength(6);
});

test("redirect: 'error' refuses and 'manual' hands the redirect on", async () => {
  handle = (_, response) => response.writeHead(301, { location: 'http://other.example/' }).end('moved');
  expect(await refusalOf(orderOf({ redirect: 'error' }))).toBe('redirect-refused');
  expect(await refusalOf(orderOf({ redirect: 'manual' }))).toBe('status 301');
});

test('headers of the connection and of proxies are never a plug-in’s', async () => {
  const names = [
    'Host',
    'Connection',
    'Transfer-Encoding',
    'Content-Length',
    'Proxy-Authorization',
    'X-Forwarded-For',
    'Forwarded',
    'Upgrade',
    'TE',
    'X-HTTP-Method-Override',
    'Expect',
  ];
  await run(orderOf({ headers: [...names.map((name): [string, string] => [name, 'chunked']), ['X-Mine', '1']] }));
  expect(seen[0]?.headers).toMatchObject({ host: `${NAME}:${portOf(server)}`, 'x-mine': '1', connection: 'close' });
  for (const name of [
    'transfer-encoding',
    'proxy-authorization',
    'x-forwarded-for',
    'forwarded',
    'upgrade',
    'te',
    'x-http-method-override',
    'expect',
    'content-length',
  ]) {
    expect(seen[0]?.headers, name).not.toHaveProperty(name);
  }
});

test('no header makes a second request or a further header of itself', async () => {
  const hostile = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.string({ unit: fc.constantFrom('\r', '\n', ':', ' ', 'a', '\0', 'é', '\u0100', '\t'), maxLength: 12 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 1, maxLength: 20 }), hostile, async (name, value) => {
      seen.length = 0;
      const refusal = await refusalOf(orderOf({ headers: [[name, value]] }));
      expect(['status 200', 'request-invalid']).toContain(refusal);
      expect(seen).toHaveLength(refusal === 'status 200' ? 1 : 0);
      const known = ['host', 'connection', 'accept', 'accept-encoding', 'user-agent'];
      const extra = Object.keys(seen[0]?.headers ?? {}).filter((each) => !known.includes(each));
      expect(extra.length).toBeLessThanOrEqual(1);
      for (const each of extra) expect([each, isRemoved(each)]).toEqual([name.toLowerCase(), false]);
    }),
    { numRuns: 150 },
  );
});

test('an answer counts as it comes and as it is unpacked', async () => {
  const large = Buffer.alloc(50_000, 'a');
  const bomb = Buffer.alloc(8_000_000);
  for (const [encoding, body] of [
    ['identity', large],
    ['gzip', gzipSync(bomb)],
    ['deflate', deflateSync(bomb)],
    ['br', brotliCompressSync(bomb)],
  ] as const) {
    handle = (_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body);
    expect(await refusalOf(orderOf()), encoding).toBe('too-large');
  }
});

test('an answer in a known encoding is unpacked, one in an unknown or a double encoding is refused', async () => {
  for (const [encoding, body] of [
    ['gzip', gzipSync('text')],
    ['deflate', deflateSync('text')],
    ['br', brotliCompressSync('text')],
  ] as const) {
    handle = (_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body);
    expect(await textOf(orderOf()), encoding).toBe('text');
  }
  for (const encoding of ['gzip, gzip', 'zstd', 'compress']) {
    handle = (_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(gzipSync('text'));
    expect(await textOf(orderOf()), encoding).toBe('response-invalid');
  }
  handle = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip at all');
  expect(await textOf(orderOf())).toBe('response-invalid');
});

test('an answer that does not end is cut at the deadline, and so is one that nobody waits for any more', async () => {
  handle = (_, response) => void response.writeHead(200).write('a');
  expect(await refusalOf(orderOf(), { signal: AbortSignal.timeout(50) })).toBe('timed-out');
  const stop = new AbortController();
  handle = () => stop.abort();
  expect(await refusalOf(orderOf(), { signal: stop.signal })).toBe('cancelled');
});

test('whatever bytes a server answers with, the end is a value', async () => {
  const order = orderOf({ url: `http://${NAME}:${portOf(rawServer)}/` }, { targets: [target({ port: portOf(rawServer) })] });
  const line = fc.constantFrom(
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n',
    'HTTP/1.1 999 Odd\r\n',
    'HTTP/1.1 302 Found\r\nLocation: ',
    'Content-Length: 5\r\n',
    'Content-Length: -1\r\n',
    'Content-Length: 99999999999\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Content-Encoding: gzip\r\n',
    '\r\n',
    '5\r\nhello\r\n0\r\n\r\n',
    'hello',
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((part) => Buffer.from(part)),
    fc.array(line, { maxLength: 8 }).map((lines) => Buffer.from(lines.join(''))),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (answer) => {
      rawAnswer = answer;
      const { end, hops } = await run(order);
      expect(typeof end.ok).toBe('boolean');
      expect(hops.length).toBeLessThanOrEqual(6);
    }),
    { numRuns: 150 },
  );
});
