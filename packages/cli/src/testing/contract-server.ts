import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BundleUpload, NewKey, NewSigningKey, NewUser, type PlannedChange, type PushResult, StepPatch, type StepSummary } from '@airlock/protocol';

/** What a request may be answered with in place of the contract's own answer. */
export type Interference = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface ContractServer extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  readonly steps: StepSummary[];
  /** Method and path of every request, in order. */
  readonly seen: string[];
  /** The last upload, as parsed by the contract's schema. */
  uploaded: BundleUpload | undefined;
  interfere: Interference | undefined;
}

const TOKEN = 'test-token';

/** A real HTTP server that keeps bundles by name and speaks the part of the API that the command line uses. */
export async function startContractServer(): Promise<ContractServer> {
  const stored = new Map<string, { readonly version: string; readonly digest: string }>();
  const http = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => answer(response, 500, problem('0x80040216', String(error))));
  });
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  const server: ContractServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    token: TOKEN,
    steps: [],
    seen: [],
    uploaded: undefined,
    interfere: undefined,
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      await new Promise<void>((closed) => http.close(() => closed()));
    },
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', server.url);
    server.seen.push(`${request.method} ${url.pathname}${url.search}`);
    const body = await textOf(request);
    if (server.interfere?.(request, response) === true) return;
    if (!isAuthentic(request.headers.authorization)) return answer(response, 401, problem('0x80048306', 'The request carries no valid API key.'));
    const path = url.pathname.replace('/api/airlock/v1/', '');
    if (request.method === 'POST' && path === 'bundles') return push(response, body, url.searchParams.get('plan') === 'true');
    if (request.method === 'GET' && path === 'steps') return answer(response, 200, { value: server.steps });
    if (request.method === 'PATCH' && path.startsWith('steps/')) return patch(response, path.slice('steps/'.length), body);
    if (request.method === 'GET' && path.startsWith('traces/')) return answer(response, 200, { value: traceRows });
    if (path === '/api/data/v9.2/WhoAmI') return answer(response, 200, { OrganizationId: ORGANIZATION_ID });
    const administered = administer(request.method ?? '', path, body);
    if (administered !== undefined) return answer(response, administered.status, administered.body);
    return answer(response, 404, problem('0x8006088a', `Resource not found for the segment '${path}'.`));
  }

  function push(response: ServerResponse, body: string, plan: boolean): void {
    const upload = BundleUpload.parse(JSON.parse(body));
    server.uploaded = upload;
    const { name, version } = upload.manifest;
    const digest = createHash('sha256').update(upload.code).digest('hex');
    const before = stored.get(name);
    if (before?.version === version && before.digest !== digest) {
      return answer(response, 409, problem('0x8004417b', `Version ${version} of the bundle "${name}" exists with other content; raise the version.`));
    }
    if (!plan) stored.set(name, { version, digest });
    const result: PushResult = {
      bundle: { name, version, digest },
      applied: !plan,
      changes: [changeOf(name, version, before?.version)],
      warnings: [],
    };
    return answer(response, 200, result);
  }

  function patch(response: ServerResponse, id: string, body: string): void {
    const index = server.steps.findIndex((step) => step.id === id);
    const step = server.steps[index];
    if (step === undefined) return answer(response, 404, problem('0x80040217', `Step With Id = ${id} Does Not Exist`));
    server.steps[index] = { ...step, enabled: StepPatch.parse(JSON.parse(body)).enabled ?? step.enabled };
    response.writeHead(204).end();
  }

  return server;
}

function changeOf(name: string, version: string, before: string | undefined): PlannedChange {
  if (before === undefined) return { action: 'create', what: 'bundle', name, differences: [] };
  if (before === version) return { action: 'unchanged', what: 'bundle', name, differences: [] };
  return { action: 'update', what: 'bundle', name, differences: [{ field: 'version', from: before, to: version }] };
}

const traceRows = [
  {
    typename: 'creditLimitRule',
    messagename: 'Update',
    primaryentity: 'account',
    depth: 1,
    createdon: '2026-01-31T12:00:00.000Z',
    performanceexecutionduration: 4,
    messageblock: 'credit limit 5\nrevenue 6',
    exceptiondetails: 'TypeError: x\n    at currencyOf (src/price-list.ts:10:15)',
  },
];

export const ORGANIZATION_ID = '0195d3a0-0000-7000-8000-0000000000aa';
const signingKey = { id: 'k1', name: 'release', fingerprint: 'f'.repeat(64), createdOn: '2026-01-31T12:00:00.000Z', createdBy: 'u', revokedOn: null };
const bundle = {
  id: 'b1',
  name: '@test/plugin',
  version: '1.0.0',
  digest: 'd'.repeat(64),
  description: '',
  isCurrent: true,
  stateless: false,
  size: 5,
  uploadedOn: '2026-01-31T12:00:00.000Z',
  uploadedBy: 'u',
  signedBy: null,
  steps: 2,
};

/** Users, keys, bundles: bodies are checked by the contract's schemas, answers are always the same. */
function administer(method: string, path: string, body: string): { readonly status: number; readonly body?: unknown } | undefined {
  const given = () => JSON.parse(body) as unknown;
  switch (`${method} ${path.split('/')[0]}`) {
    case 'GET bundles':
      return { status: 200, body: { value: [bundle] } };
    case 'GET signing-keys':
      return { status: 200, body: { value: [signingKey] } };
    case 'POST signing-keys':
      return { status: 201, body: { ...signingKey, name: NewSigningKey.parse(given()).name } };
    case 'POST users':
      return { status: 201, body: { systemuserid: `id of ${NewUser.parse(given()).role}` } };
    case 'POST keys':
      return { status: 201, body: { id: 'k', key: 'alk_secret', expiresOn: `in ${NewKey.parse(given()).expiresInDays} days` } };
    case 'DELETE keys':
    case 'DELETE signing-keys':
    case 'DELETE bundles':
      return { status: 204 };
    default:
      return undefined;
  }
}

const problem = (code: string, message: string) => ({ error: { code, message } });

function answer(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'x-airlock-trace-id': 'a'.repeat(32) })
    .end(body === undefined ? undefined : JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}

function isAuthentic(header: string | undefined): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(header ?? ''), hash(`Bearer ${TOKEN}`));
}
