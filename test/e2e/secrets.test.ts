/** A secret that is planted in a step, and every place where it could come out again. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { HttpAnswer } from '../support/http.ts';
import { errorOf, type PluginSystem, usePluginSystem } from '../support/plugin-system.ts';

const directory = mkdtempSync(join(tmpdir(), 'airlock-secrets-'));
const keyFile = join(directory, 'master.key');
writeFileSync(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
afterAll(() => rmSync(directory, { recursive: true }));

const API_KEY = 'sk-live-"9c1f04b7e2"';
const PASSWORD = 'correct horse battery staple';
const SECURE = JSON.stringify({ apiKey: API_KEY, nested: { password: PASSWORD } });
/** No honest text holds these; the first finds the whole and the API key, the second the other value. */
const CANARIES = ['9c1f04b7e2', 'horse battery'];

const system: PluginSystem = usePluginSystem({
  dispatchers: 2,
  dispatcherEnv: { AIRLOCK_MASTER_KEY_FILE: keyFile, AIRLOCK_LOG_LEVEL: 'debug', AIRLOCK_JOB_RETRY_MS: '50' },
  workerEnv: { AIRLOCK_LOG_LEVEL: 'debug' },
});
const ANNOTATED = { headers: { prefer: 'odata.include-annotations="*"' } };
const POLL = { timeout: 20_000, interval: 50 } as const;

const step = (name: string, body: string, options = "stage: 'PreOperation'") => `
  export const ${name} = definePlugin({
    steps: [{ name: '${name}', message: 'Create', table: 'account', ${options} }],
    async execute(context) {
      const { target, tracing, configuration, organizationService } = context;
      if (target.attributes.name !== '${name}') return;
      const { secure } = configuration;
      const { apiKey, nested: { password } } = JSON.parse(secure);
      ${body}
    },
  });`;

const SOURCE = [
  step(
    'traces',
    `tracing.trace(secure); tracing.trace(JSON.stringify({ secure })); console.log('key', apiKey, { password }); for (let i = 0; i < 3000; i += 1) tracing.trace('filler ' + password);`,
  ),
  step('throws', `throw new TypeError(apiKey, { cause: new Error(password) });`),
  step('throwsText', `throw secure;`),
  step('renamed', `const error = new Error('x'); error.name = apiKey; error.stack = 'Error: ' + password; throw error;`),
  step('rejects', `throw new InvalidPluginExecutionException('no ' + apiKey, { exceptionDetails: { [password]: secure } });`),
  step('asksFor', `await organizationService.retrieve('account', crypto.randomUUID(), [apiKey]);`),
  step('asksTable', `await organizationService.create(password, {});`),
  step('writes', `target.attributes.creditlimit = apiKey + password;`),
  step('loops', `tracing.trace(secure); for (;;) {}`, "stage: 'PreOperation', limits: { wallMs: 500 }"),
  step('later', `tracing.trace(secure); throw new Error(apiKey + ' ' + password);`, "stage: 'PostOperation', mode: 'Asynchronous'"),
].join('\n');

async function put(stepName: string, value: string): Promise<HttpAnswer> {
  const { body } = await system.http.request('GET', '/api/airlock/v1/steps');
  const { value: steps } = body as { value: { id: string; name: string }[] };
  const id = steps.find(({ name }) => name === stepName)?.id ?? '';
  return await system.http.request('PUT', `/api/airlock/v1/steps/${id}/secure-configuration`, { body: { value } });
}

/** Every value of every table, as text. */
async function everythingStored(): Promise<string> {
  const tables = await system.sql`select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('airlock', 'data')`;
  const rows = await Promise.all(tables.map(({ name }) => system.sql.unsafe(`select t::text as row from ${String(name)} t`)));
  return rows
    .flat()
    .map(({ row }) => String(row))
    .join('\n');
}

/** Each with what stands around it, so that a failure says where it came out. */
const found = (text: string) =>
  CANARIES.map((canary) => text.indexOf(canary))
    .filter((at) => at !== -1)
    .map((at) => text.slice(Math.max(0, at - 300), at + 60));

let answers: string[] = [];
beforeEach(() => {
  answers = [];
});
async function create(name: string): Promise<HttpAnswer> {
  const answer = await system.http.request('POST', 'accounts', { body: { name }, ...ANNOTATED, timeoutMs: 60_000 });
  answers.push(`${JSON.stringify(answer.body ?? '')} ${JSON.stringify([...answer.headers])}`);
  return answer;
}

test('a secret reaches its step, and no table, no log and no answer, however the step fails', { timeout: 120_000 }, async () => {
  await system.install(SOURCE);
  const names = [...SOURCE.matchAll(/name: '(\w+)', message/g)].map(([, name]) => name ?? '');
  for (const name of names) expect((await put(name, SECURE)).status).toBe(204);

  expect((await create('traces')).status).toBe(204);
  expect(errorOf(await create('rejects')).message).toBe('no [redacted]');
  for (const name of ['throws', 'throwsText', 'renamed']) expect(errorOf(await create(name)).code).toBe('0x80040224');
  for (const name of ['asksFor', 'asksTable', 'writes']) expect((await create(name)).status).toBeGreaterThanOrEqual(400);
  expect(errorOf(await create('loops')).code).toBe('0x80081111');
  expect((await create('later')).status).toBe(204);
  const failed = () => system.sql`select 1 from airlock.asyncoperation where statecode = 3 and statuscode = 31`;
  await expect.poll(async () => (await failed()).length, POLL).toBe(1);

  const rows = () => system.sql`select stepname, messageblock, exceptiondetails, reference from airlock.plugintracelog`;
  await expect.poll(async () => (await rows()).some(({ stepname, reference }) => stepname === 'traces' && reference === null), POLL).toBe(true);
  const stored = await everythingStored();
  // The steps ran, and what they said is there without the secret.
  expect(stored).toContain('TypeError: [redacted]');
  expect(stored).toContain('key [redacted]');
  expect(found(stored)).toEqual([]);
  expect(found(system.airlock.logs())).toEqual([]);
  expect(found(answers.join('\n'))).toEqual([]);
});

test('a secret is not readable through any list, table or query of the API', async () => {
  await system.install(step('traces', ''));
  expect((await put('traces', SECURE)).status).toBe(204);
  const texts: string[] = [];
  for (const path of [
    '/api/airlock/v1/steps',
    '/api/airlock/v1/bundles',
    '/api/airlock/v1/plugin-types',
    '/api/airlock/v1/audit',
    '/api/airlock/v1/settings',
    '/api/airlock/v1/workers',
    'sdkmessageprocessingsteps',
    'sdkmessageprocessingstepsecureconfigs',
    'datakeys',
    'auditlogs',
  ]) {
    texts.push(JSON.stringify((await system.http.request('GET', path)).body));
  }
  const { body } = await system.http.request('GET', '/api/airlock/v1/steps');
  const id = (body as { value: { id: string }[] }).value[0]?.id ?? '';
  const reading = await system.http.request('GET', `/api/airlock/v1/steps/${id}/secure-configuration`);
  expect(reading.status).toBe(404);
  expect(texts.join('\n')).toContain('set-secure-configuration');
  expect(texts.join('\n')).not.toContain('s1.1.');
  expect(found(texts.join('\n'))).toEqual([]);
});

test('a secret that cannot be opened fails its step and says why, and never runs it without', async () => {
  await system.install(step('traces', `tracing.trace('ran');`));
  await put('traces', SECURE);
  expect((await create('traces')).status).toBe(204);
  await system.sql`update airlock.sdkmessageprocessingstepsecureconfig set secureconfig = 'planted'`;
  await system.sql`update airlock.organization set registrationversion = registrationversion + 1`;
  await expect.poll(async () => (await create('traces')).status, POLL).toBe(500);
  const refused = await create('traces');
  expect(errorOf(refused)).toMatchObject({ code: '0x8008f029', message: expect.stringContaining('not sealed') as unknown });
  expect((await put('traces', SECURE)).status).toBe(204);
  expect((await create('traces')).status).toBe(204);
});
