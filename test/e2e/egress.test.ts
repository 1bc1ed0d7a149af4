import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { HttpAnswer } from '../support/http.ts';
import { usePluginSystem } from '../support/plugin-system.ts';

/** The two permissions are for development and for this: without them no local server can be reached at all. */
const system = usePluginSystem({ egressEnv: { AIRLOCK_EGRESS_ALLOW_PRIVATE: '1', AIRLOCK_EGRESS_ALLOW_HTTP: '1' } });

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
const seen: Seen[] = [];
let granted: Server;
let other: Server;
let handle: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end('ok');
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const listening = async (server: Server): Promise<Server> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
};

beforeAll(async () => {
  const record = (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      handle(request, response);
    });
  };
  granted = await listening(createServer(record));
  other = await listening(createServer(record));
});
afterAll(() => {
  for (const server of [granted, other]) {
    server.closeAllConnections();
    server.close();
  }
});
beforeEach(() => {
  seen.length = 0;
  handle = (_, response) => response.end('ok');
});

/** Installs a plug-in whose body is given, with `url(path)` of the granted server and `otherUrl` of the other one. What it returns is traced as JSON. */
async function installFetching(body: string): Promise<string> {
  await system.install(`
    const url = (path = '/') => 'http://127.0.0.1:${portOf(granted)}' + path;
    const otherUrl = 'http://127.0.0.1:${portOf(other)}/';
    const attempt = async (work) => { try { return await work(); } catch (error) { return { name: error.name, message: error.message }; } };
    export const fetching = definePlugin({
      steps: [{ name: 'fetching', message: 'Create', table: 'account', stage: 'PreOperation', mode: 'Synchronous' }],
      async execute({ tracing }) {
        const result = await (async () => { ${body} })();
        tracing.trace(JSON.stringify({ result }));
      },
    });`);
  const stepId = await system.stepId('fetching');
  // A step keeps its grants when a new version of its bundle comes.
  await system.sql`delete from airlock.egressgrant`;
  await system.sql`delete from airlock.egresslog`;
  return stepId;
}

async function grant(stepId: string, methods: readonly string[] = ['GET']): Promise<HttpAnswer> {
  const body = { scheme: 'http', host: '127.0.0.1', port: portOf(granted), methods };
  return await system.http.request('POST', `/api/airlock/v1/steps/${stepId}/egress-grants`, { body });
}

async function run(): Promise<unknown> {
  const answer = await system.http.request('POST', 'accounts', { body: { name: 'A' } });
  if (answer.status !== 204) throw new Error((await system.traces(answer, 1)).map(({ exceptiondetails }) => exceptiondetails).join('\n'));
  const [line] = await system.seen(answer, 1);
  return line?.['result'];
}

const Ledger = z.object({
  value: z.array(
    z.looseObject({ host: z.string(), port: z.number(), method: z.string(), status: z.number().nullable(), refusal: z.string().nullable() }),
  ),
});
async function ledger(stepId: string) {
  const answer = await system.http.request('GET', `/api/airlock/v1/egress-log?stepId=${stepId}`);
  return Ledger.parse(answer.body).value;
}

test('a granted host is reached, and the ledger says who reached it', async () => {
  handle = (_, response) => response.writeHead(201, { 'content-type': 'application/json', 'x-told': 'yes' }).end('{"answer":42}');
  const stepId = await installFetching(`
    const response = await fetch(url('/orders?secret=1'), { method: 'POST', headers: { 'x-mine': 'a', host: 'elsewhere', 'x-forwarded-for': '1.2.3.4' }, body: JSON.stringify({ a: 1 }) });
    return { ok: response.ok, status: response.status, told: response.headers.get('X-Told'), json: await response.json() };`);
  expect((await grant(stepId, ['POST'])).status).toBe(201);
  expect(await run()).toEqual({ ok: true, status: 201, told: 'yes', json: { answer: 42 } });
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({ method: 'POST', url: '/orders?secret=1', body: '{"a":1}' });
  expect(seen[0]?.headers).toMatchObject({ host: `127.0.0.1:${portOf(granted)}`, 'x-mine': 'a' });
  expect(seen[0]?.headers).not.toHaveProperty('x-forwarded-for');
  const rows = await ledger(stepId);
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({
    host: '127.0.0.1',
    port: portOf(granted),
    method: 'POST',
    status: 201,
    refusal: null,
    stepName: 'fetching',
    sentBytes: 7,
  });
  expect(JSON.stringify(rows)).not.toContain('secret');
});

test('what is not granted is a TypeError that names the host and says what to do, and nobody is asked', async () => {
  const stepId = await installFetching(`
    return [await attempt(() => fetch(otherUrl)), await attempt(() => fetch(url(), { method: 'DELETE' })), await attempt(() => fetch('https://example.com/x'))];`);
  await grant(stepId);
  const [toOther, byDelete, toExample] = (await run()) as { name: string; message: string }[];
  expect(toOther).toMatchObject({ name: 'TypeError' });
  expect(toOther?.message).toContain(`GET http://127.0.0.1:${portOf(other)} is not granted to this step`);
  expect(toOther?.message).toContain(`/api/airlock/v1/steps/${stepId}/egress-grants`);
  expect(byDelete?.message).toContain('DELETE');
  expect(toExample?.message).toContain('https://example.com:443');
  expect(seen).toEqual([]);
  expect((await ledger(stepId)).map(({ host, refusal }) => [host, refusal])).toEqual([
    ['example.com', 'not-granted'],
    ['127.0.0.1', 'not-granted'],
    ['127.0.0.1', 'not-granted'],
  ]);
});

test('a redirect to a host that is not granted is refused at that hop, and one to a granted host is followed', async () => {
  handle = ({ url }, response) => {
    if (url === '/away') response.writeHead(302, { location: `http://127.0.0.1:${portOf(other)}/` }).end();
    else if (url === '/loop') response.writeHead(302, { location: '/loop' }).end();
    else if (url === '/here') response.writeHead(303, { location: '/there' }).end();
    else response.end('arrived');
  };
  const stepId = await installFetching(`
    const here = await fetch(url('/here'));
    return [await attempt(() => fetch(url('/away'))), await here.text(), here.redirected, await attempt(() => fetch(url('/loop'))), (await fetch(url('/away'), { redirect: 'manual' })).status];`);
  await grant(stepId);
  const [away, text, redirected, loop, manual] = (await run()) as [{ message: string }, string, boolean, { message: string }, number];
  expect(away.message).toContain(`http://127.0.0.1:${portOf(other)} is not granted`);
  expect([text, redirected, manual]).toEqual(['arrived', true, 302]);
  expect(loop.message).toContain('more than 5 redirects');
  expect(seen.every(({ headers }) => headers.host === `127.0.0.1:${portOf(granted)}`)).toBe(true);
});

test('an answer above the cap is refused, packed or not, and one that never comes ends with the step', async () => {
  handle = ({ url }, response) => {
    if (url === '/big') response.end(Buffer.alloc(4 * 1024 * 1024, 'a'));
    else if (url === '/bomb') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
    else if (url === '/packed') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('unpacked'));
    // Any other path is never answered.
  };
  const stepId = await installFetching(`
    const stopped = await attempt(() => fetch(url('/never'), { signal: AbortSignal.timeout(50) }));
    return [await attempt(() => fetch(url('/big'))), await attempt(() => fetch(url('/bomb'))), await (await fetch(url('/packed'))).text(), stopped];`);
  await grant(stepId);
  const [big, bomb, packed, stopped] = (await run()) as [{ message: string }, { message: string }, string, { name: string }];
  expect(big.message).toContain('more than');
  expect(bomb.message).toContain('more than');
  expect(packed).toBe('unpacked');
  expect(stopped.name).toBe('TimeoutError');
});

test('a revoked grant counts no longer, and who granted and revoked is in the audit log', async () => {
  const stepId = await installFetching(`return await attempt(async () => (await fetch(url())).status);`);
  const { id } = z.object({ id: z.string() }).parse((await grant(stepId)).body);
  expect((await grant(stepId)).status).toBe(409);
  expect(await run()).toBe(200);
  expect((await system.http.request('DELETE', `/api/airlock/v1/steps/${stepId}/egress-grants/${id}`)).status).toBe(204);
  expect(await run()).toMatchObject({ name: 'TypeError' });
  const audit = await system.http.request('GET', `/api/airlock/v1/audit?objectId=${stepId}`);
  expect(
    z
      .object({ value: z.array(z.object({ action: z.string() })) })
      .parse(audit.body)
      .value.map(({ action }) => action),
  ).toEqual(expect.arrayContaining(['grant-egress', 'revoke-egress']));
});

test('only an operator grants and reads the ledger, and the health endpoint names the permissions for development', async () => {
  const stepId = await installFetching('return 1;');
  const { client } = await system.account('author');
  const body = { host: 'example.com', methods: ['GET'] };
  expect((await client.request('POST', `/api/airlock/v1/steps/${stepId}/egress-grants`, { body })).status).toBe(403);
  expect((await client.request('GET', '/api/airlock/v1/egress-log')).status).toBe(403);
  for (const host of ['example.com:8080', 'https://example.com', 'user@example.com', 'example.com/x', '', 'a b']) {
    const answer = await system.http.request('POST', `/api/airlock/v1/steps/${stepId}/egress-grants`, { body: { ...body, host } });
    expect(answer.status, host).toBe(400);
  }
  const health = await system.http.request('GET', '/readyz');
  expect(health.body).toMatchObject({ egress: { processes: 1, allowPrivateAddresses: true, allowPlainHttp: true } });
});

test('an asynchronous step reaches what is granted to it', async () => {
  await system.install(`
    export const later = definePlugin({
      steps: [{ name: 'later', message: 'Create', table: 'account', stage: 'PostOperation', mode: 'Asynchronous' }],
      async execute({ executionContext }) { await fetch('http://127.0.0.1:${portOf(granted)}/' + executionContext.primaryEntityId); },
    });`);
  const stepId = await system.stepId('later');
  await grant(stepId);
  const id = await system.create('accounts', { name: 'A' });
  await expect.poll(() => seen.map(({ url }) => url), { timeout: 20_000 }).toEqual([`/${id}`]);
  await expect.poll(async () => (await ledger(stepId)).map(({ status }) => status)).toEqual([200]);
});

test('one execution makes at most fifty requests, a few at a time, and a plug-in can go on without the rest', async () => {
  let atOnce = 0;
  let most = 0;
  handle = (_, response) => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    setImmediate(() => {
      atOnce -= 1;
      response.end('ok');
    });
  };
  const stepId = await installFetching(`
    const all = await Promise.allSettled(Array.from({ length: 60 }, () => fetch(url())));
    return all.map(({ status, reason }) => status === 'fulfilled' ? 'ok' : reason.message);`);
  await grant(stepId);
  const results = (await run()) as string[];
  expect(results.filter((each) => each === 'ok')).toHaveLength(50);
  expect(results.at(-1)).toContain('at most 50 requests');
  expect(most).toBeLessThanOrEqual(8);
});

test('the ledger is a table that operators query, and nobody else', async () => {
  const stepId = await installFetching('return (await fetch(url())).status;');
  await grant(stepId);
  expect(await run()).toBe(200);
  const rows = await system.http.request('GET', 'egresslogs?$select=host,httpstatus,stepname');
  expect(rows.body).toMatchObject({ value: [{ host: '127.0.0.1', httpstatus: 200, stepname: 'fetching' }] });
  const { client } = await system.account('author');
  expect((await client.request('GET', 'egresslogs')).status).toBe(403);
});

test('a plug-in has no other way to a network', async () => {
  await installFetching(`
    const names = ['process', 'require', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'WebTransport', 'RTCPeerConnection', 'navigator', 'Worker', 'importScripts'];
    const imported = await attempt(() => Function('return import("node:net")')());
    return [names.filter((name) => name in globalThis), imported.name ?? 'imported'];`);
  const [names, imported] = (await run()) as [string[], string];
  expect(names).toEqual([]);
  expect(imported).not.toBe('imported');
});
