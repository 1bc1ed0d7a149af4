import { connect } from 'node:net';
import { BundleUpload, NewEgressGrant, NewKey, NewSigningKey, NewUser, Settings, StepPatch, TableDefinition } from '@airlock/protocol';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { HttpAnswer } from '../support/http.ts';
import { usePluginSystem } from '../support/plugin-system.ts';
import { anyJson, brokenJson, hazard, number } from './hostile-values.ts';
import { schemaArbitrary } from './schema-arbitrary.ts';
import { expectAlive, residentBytes } from './still-alive.ts';

/** HTTP input against a real dispatcher with its Postgres and NATS. Rule: no 5xx, no crash, no unbounded memory, errors of our shape. */
const system = usePluginSystem({ dispatcherEnv: { AIRLOCK_RATE_PER_KEY: '100000000' } });

const RUN = { interruptAfterTimeLimit: 2_500, numRuns: 1_500, endOnFailure: true } as const;
const Shape = z.object({ error: z.looseObject({ code: z.string(), message: z.string() }) });

function expectOurs(answer: HttpAnswer, what: string): void {
  expect(answer.status, `${what}: ${JSON.stringify(answer.body)}`).toBeLessThan(500);
  if (answer.status >= 400) expect(Shape.safeParse(answer.body).success, `${what}: ${answer.status} ${JSON.stringify(answer.body)}`).toBe(true);
}

afterEach(() => expectAlive(system));

const bodyText = (value: unknown): string => JSON.stringify(value) ?? 'null';

const columnValue = fc.oneof(
  hazard,
  number,
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('2026-01-01T00:00:00Z', '9999-12-31', '-1', '1e400', '0001-01-01'),
  anyJson,
);
const COLUMNS = [
  'name',
  'accountnumber',
  'telephone1',
  'description',
  'iban',
  'accountid',
  'createdon',
  'ownerid',
  'statecode',
  'versionnumber',
  '@odata.type',
  'parentaccountid@odata.bind',
];

test('whatever the columns of a row hold, it is stored as it was sent or refused', async () => {
  const record = fc
    .record(Object.fromEntries(COLUMNS.map((name) => [name, columnValue])), { requiredKeys: [] })
    .chain((row) => fc.record({ row: fc.constant(row), name: fc.oneof({ arbitrary: hazard, weight: 3 }, fc.constant('A')) }));
  await fc.assert(
    fc.asyncProperty(record, async ({ row, name }) => {
      const values = { ...row, name };
      const answer = await system.http.request('POST', 'accounts', { body: bodyText(values) });
      expectOurs(answer, 'create');
      if (answer.status !== 204) return;
      const id = /\(([0-9a-f-]{36})\)$/.exec(answer.headers.get('odata-entityid') ?? '')?.[1] ?? '';
      const read = await system.read('accounts', id);
      expect(read['name']).toBe(name);
      if (typeof row['description'] === 'string') expect(read['description']).toBe(row['description']);
    }),
    RUN,
  );
});

test('a body that is no JSON, or not the JSON that a route wants, is refused', async () => {
  const route = fc.constantFrom<readonly [string, string]>(
    ['POST', 'accounts'],
    ['PATCH', 'accounts(99999999-9999-4999-8999-999999999999)'],
    ['POST', '/api/airlock/v1/tables?plan=true'],
    ['PATCH', '/api/airlock/v1/settings'],
    ['POST', '/api/airlock/v1/users'],
  );
  await fc.assert(
    fc.asyncProperty(route, fc.oneof(brokenJson, anyJson.map(bodyText)), async ([method, path], body) =>
      expectOurs(await system.http.request(method, path, { body }), `${method} ${path}`),
    ),
    RUN,
  );
});

test('the routes of Airlock itself answer to what their schemas allow, and to what they do not', async () => {
  const step = '99999999-9999-4999-8999-999999999999';
  const cases: readonly (readonly [string, string, z.ZodType])[] = [
    ['POST', 'tables?plan=true', TableDefinition],
    ['POST', 'users', NewUser],
    ['POST', 'keys', NewKey],
    ['POST', 'signing-keys', NewSigningKey],
    ['PATCH', `steps/${step}`, StepPatch],
    ['POST', `steps/${step}/egress-grants`, NewEgressGrant],
    ['POST', 'bundles?plan=true', BundleUpload],
    ['PATCH', 'settings', Settings.partial()],
  ];
  const request = fc.oneof(...cases.map(([method, path, schema]) => schemaArbitrary(schema).map((body) => ({ method, path, body }))));
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, body }) => {
      // A table that is refused, or one whose making is only planned: what is tried here must not fill the database with tables.
      expectOurs(await system.http.request(method, `/api/airlock/v1/${path}`, { body: bodyText(body) }), `${method} ${path}`);
    }),
    RUN,
  );
  // Settings may have been changed to something that a test after this does not expect.
  await system.settings({ pluginTraceLogSetting: 2, maxDepth: 8, requireSignature: false });
});

test('names and labels with hostile text are stored or refused, wherever they are registered', async () => {
  let count = 0;
  const column = fc.record({
    logicalName: fc.constant('name'),
    displayName: hazard,
    type: fc.constant('choice'),
    choices: fc.array(fc.record({ value: fc.nat(9), label: hazard }), { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(hazard, hazard, column, async (name, text, choice) => {
      count += 1;
      const step = {
        name,
        description: text,
        configuration: text,
        message: 'Create',
        table: 'account',
        stage: 'PostOperation',
        runAs: text,
        filteringAttributes: [text],
        images: [{ alias: text, type: 'PostImage', columns: [text] }],
      };
      const plain = { name, message: 'Create', table: 'account', stage: 'PostOperation', description: text, configuration: text };
      const code = `module.exports = { ${JSON.stringify(text)}: { typeName: ${JSON.stringify(name)}, steps: [${JSON.stringify(count % 2 === 0 ? step : plain)}], execute() {} } };`;
      const manifest = { manifestVersion: 1, name: 'named', version: `1.0.${count}`, sdkVersion: '1', description: text };
      expectOurs(await system.http.request('POST', '/api/airlock/v1/bundles', { body: { manifest, code } }), 'push');
      const table = {
        logicalName: `named${count}`,
        displayName: name,
        displayCollectionName: text,
        entitySetName: `named${count}s`,
        primaryNameAttribute: 'title',
      };
      const columns = [{ logicalName: 'title', displayName: text, type: 'string' }, choice];
      if (count <= 20) expectOurs(await system.http.request('POST', '/api/airlock/v1/tables', { body: { ...table, columns } }), 'table');
      expectOurs(await system.http.request('GET', '/api/airlock/v1/steps'), 'steps');
      expectOurs(await system.http.request('GET', '/api/airlock/v1/audit'), 'audit');
    }),
    { ...RUN, numRuns: 60 },
  );
  expectOurs(await system.http.request('DELETE', '/api/airlock/v1/bundles?name=named'), 'remove');
});

test('whatever stands in a URL, its query and its headers, the answer is ours', async () => {
  const part = fc.oneof(
    hazard.map(encodeURIComponentSafely),
    fc.constantFrom(
      'accounts',
      '(',
      ')',
      "'",
      '$filter=',
      '$orderby=',
      '$select=',
      '$top=',
      '&',
      '?',
      'name eq ',
      'contains(',
      ',',
      '/',
      '$count',
      '%',
      '%00',
      '%ff',
      '%ed%a0%80',
      '..',
      'null',
      '1e999',
      '@p1',
      '$skiptoken=',
    ),
  );
  const headers = fc.dictionary(
    fc.constantFrom('prefer', 'if-match', 'if-none-match', 'mscrmcallerid', 'traceparent', 'accept', 'content-type', 'odata-version', 'x-request-id'),
    fc.oneof(
      fc.string({ maxLength: 60 }).filter((text) => /^[\x21-\x7e]*$/.test(text)),
      fc.constantFrom('W/"1"', '*', '"', 'odata.maxpagesize=0', 'odata.maxpagesize=99999999999', 'return=representation', '00-0-0-0'),
    ),
    { maxKeys: 3 },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 8 }),
      fc.constantFrom('/api/data/v9.2/', '/api/data/v9.2/accounts?', '/api/airlock/v1/', '/api/airlock/v1/audit?', '/'),
      headers,
      async (parts, root, given) => {
        const path = `${root}${parts.join('')}`;
        if (!URL.canParse(path, system.http.url) || new URL(path, system.http.url).origin !== new URL(system.http.url).origin) return;
        const answer = await system.http.request('GET', path, { headers: given });
        expect(answer.status, path).toBeLessThan(500);
      },
    ),
    RUN,
  );
});

test('hostile text in the values of a query is compared, not understood', async () => {
  const id = '99999999-9999-4999-8999-999999999999';
  const shapes: readonly ((text: string) => string)[] = [
    (text) => `accounts?$filter=name eq '${text}'`,
    (text) => `accounts?$filter=contains(name,'${text}') or startswith(telephone1,'${text}')&$top=5`,
    (text) => `accounts?$filter=accountid eq ${text}`,
    (text) => `accounts?$filter=createdon gt ${text} and revenue le ${text}`,
    (text) => `accounts?$orderby=${text} desc&$select=${text}`,
    (text) => `accounts?$top=${text}&$skiptoken=${text}`,
    (text) => `accounts(accountnumber='${text}')`,
    (text) => `accounts(${text})`,
    (text) => `${text}?$count=true`,
    (text) => `/api/airlock/v1/audit?objectType=${text}&objectId=${text}`,
    (text) => `/api/airlock/v1/egress-log?stepId=${text}`,
    (text) => `/api/airlock/v1/bundles?name=${text}`,
    (text) => `/api/airlock/v1/steps/${id}/egress-grants/${text}`,
    (text) => `/api/airlock/v1/traces/${text}`,
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...shapes), hazard, fc.constantFrom('GET', 'DELETE'), async (shape, text, method) => {
      // Quotes doubled as the grammar wants them, so that the text gets as far as the database.
      const path = shape(encodeURIComponentSafely(text.replaceAll("'", "''")));
      if (!path.startsWith('/') && method === 'DELETE' && !path.startsWith('accounts(')) return;
      expectOurs(await system.http.request(method, path), `${method} ${path}`);
    }),
    RUN,
  );
});

function encodeURIComponentSafely(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** Sends bytes and reads until the other side closes or is silent because it waits for more. */
function sendRaw(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1' });
    const end = () => {
      socket.destroy();
      resolve(text);
    };
    socket.on('error', end);
    socket.on('close', end);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      end();
    });
    socket.end(bytes);
  });
}

test('raw bytes on the port are answered with a 4xx or a closed connection', async () => {
  const port = Number(new URL(system.http.url).port);
  const piece = fc.constantFrom(
    'GET / HTTP/1.1\r\n',
    'POST /api/data/v9.2/accounts HTTP/1.1\r\n',
    'GET / HTTP/9.9\r\n',
    'Host: a\r\n',
    `Authorization: Bearer ${system.http.token}\r\n`,
    'Content-Length: 5\r\n',
    'Content-Length: 6\r\n',
    'Content-Length: -1\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: websocket\r\nConnection: Upgrade\r\n',
    '\r\n',
    '5\r\nhello\r\n',
    '0\r\n\r\n',
    'ffffffffffffffffff\r\n',
    '\n',
    '\0',
    ' ',
    'A: '.concat('b'.repeat(20_000), '\r\n'),
    '\x80\xff',
  );
  const bytes = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((parts) => Buffer.from(parts.join(''), 'latin1')),
    fc.uint8Array({ maxLength: 300 }).map((part) => Buffer.from(part)),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (given) => {
      const text = await sendRaw(port, given);
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 400);
      expect(status, JSON.stringify(given.toString('latin1'))).toBeLessThan(500);
    }),
    RUN,
  );
});

test('all of it left the dispatcher within its memory', async () => {
  for (const { process } of system.airlock.dispatchers) expect(await residentBytes(process.pid)).toBeLessThan(700 * 1024 * 1024);
});
