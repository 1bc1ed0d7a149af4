import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { pushBundle } from '@airlock/cli';
import { IssuedKey, type NewUser, type PushResult, type Settings, StepSummary } from '@airlock/protocol';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
import { z } from 'zod';
// For the type of `inject('postgresUrl')`.
import type {} from './global-setup.ts';
import { createdId, type HttpAnswer, type HttpClient, type RequestOptions } from './http.ts';
import { buildSource, SDK_IMPORT } from './plugin-bundle.ts';
import { type AirlockOptions, startAirlock, type TestAirlock } from './services.ts';

const TABLES = fileURLToPath(new URL('../../examples/model/tables.json', import.meta.url));

/** A row of the trace log, as far as the tests look at it. */
export const TraceRow = z.looseObject({
  plugintracelogid: z.string(),
  typename: z.string(),
  stepname: z.string(),
  messagename: z.string(),
  stage: z.number(),
  depth: z.number(),
  messageblock: z.string().nullable(),
  exceptiondetails: z.string().nullable(),
  traceid: z.string(),
  reference: z.string().nullable(),
  failurekind: z.string().nullable(),
  errorcode: z.string().nullable(),
});
export type TraceRow = z.output<typeof TraceRow>;

export interface Account {
  readonly client: HttpClient;
  readonly userId: string;
  readonly keyId: string;
}

/** A system with the example tables, whose plug-ins are those that the running test installed last. */
export interface PluginSystem {
  readonly airlock: TestAirlock;
  readonly http: HttpClient;
  readonly sql: postgres.Sql;
  /** On another database of the same server. */
  readonly adminSql: postgres.Sql;
  /** Replaces the plug-ins of the suite: its bundle owns exactly the steps that this source declares. */
  install(source: string, options?: { readonly stateless?: boolean }): Promise<PushResult>;
  /** No plug-in at all. */
  uninstall(): Promise<void>;
  /** The id of a new row; fails the test when it was refused. */
  create(set: string, values: object, options?: RequestOptions): Promise<string>;
  read(set: string, id: string, select?: string): Promise<Readonly<Record<string, unknown>>>;
  /** Rows of the answer's trace in the order in which they ran, once there are at least `count`. */
  traces(answer: HttpAnswer, count: number): Promise<readonly TraceRow[]>;
  /** What the plug-ins of one operation traced as JSON, a value a line. */
  seen(answer: HttpAnswer, count: number): Promise<readonly Readonly<Record<string, unknown>>[]>;
  account(role: NewUser['role']): Promise<Account>;
  /** Of a step of that name. */
  stepId(name: string): Promise<string>;
  settings(patch: Partial<Settings>): Promise<void>;
}

export const traceIdOf = (answer: HttpAnswer): string => answer.headers.get('x-airlock-trace-id') ?? '';

/** Code and message of a refused request. */
export function errorOf(answer: HttpAnswer): { readonly code: string; readonly message: string } & Readonly<Record<string, string>> {
  return z.object({ error: z.looseObject({ code: z.string(), message: z.string() }) }).parse(answer.body).error as ReturnType<typeof errorOf>;
}

export async function defineExampleTables(http: HttpClient): Promise<void> {
  for (const table of z.array(z.looseObject({ logicalName: z.string() })).parse(JSON.parse(await readFile(TABLES, 'utf8')))) {
    const answer = await http.request('POST', '/api/airlock/v1/tables', { body: table });
    if (answer.status >= 300) throw new Error(`the table ${table.logicalName} was refused: ${JSON.stringify(answer.body)}`);
  }
}

/** Follows with the deadline of a poll; what is slow here is a machine with other work, not the product. */
const POLL = { timeout: 10_000, interval: 25 } as const;

function systemOf(airlock: TestAirlock, { sql, adminSql }: Pick<PluginSystem, 'sql' | 'adminSql'>): PluginSystem {
  const { http } = airlock;
  let version = 0;
  const traces = async (answer: HttpAnswer, count: number) => {
    const read = async () => {
      const rows = await http.request('GET', `/api/airlock/v1/traces/${traceIdOf(answer)}`);
      return z.object({ value: z.array(TraceRow) }).parse(rows.body).value;
    };
    await expect.poll(async () => (await read()).length, POLL).toBeGreaterThanOrEqual(count);
    return await read();
  };
  const install: PluginSystem['install'] = async (source, { stateless = false } = {}) => {
    version += 1;
    // A legal comment stays in the bundle: code that is the same as that of another version would be refused.
    const bundle = await buildSource({ name: 'suite', version: `1.0.${version}`, source: `${SDK_IMPORT}${source}\n//! ${version}\n`, stateless });
    return await pushBundle({ url: http.url, token: http.token, bundle });
  };
  return {
    airlock,
    http,
    sql,
    adminSql,
    install,
    uninstall: async () => {
      if (version > 0) await install('export const nothing = definePlugin({ execute() {} });');
    },
    create: async (set, values, options = {}) => {
      const answer = await http.request('POST', set, { body: values, ...options });
      expect(answer.status, JSON.stringify(answer.body)).toBe(204);
      return createdId(answer);
    },
    read: async (set, id, select) => {
      const answer = await http.request('GET', `${set}(${id})${select === undefined ? '' : `?$select=${select}`}`);
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      return z.record(z.string(), z.unknown()).parse(answer.body);
    },
    traces,
    seen: async (answer, count) => {
      const rows = await traces(answer, count);
      return rows.flatMap(({ messageblock }) =>
        (messageblock ?? '')
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line))),
      );
    },
    account: async (role) => {
      const user = await http.request('POST', '/api/airlock/v1/users', { body: { fullname: `a ${role}`, role } });
      const { systemuserid } = z.object({ systemuserid: z.string() }).parse(user.body);
      const issued = await http.request('POST', '/api/airlock/v1/keys', { body: { systemuserid, name: role } });
      const { id, key } = IssuedKey.parse(issued.body);
      return { client: http.as(key), userId: systemuserid, keyId: id };
    },
    stepId: async (name) => {
      const answer = await http.request('GET', '/api/airlock/v1/steps');
      const { value } = z.object({ value: z.array(StepSummary) }).parse(answer.body);
      const step = value.find((each) => each.name === name);
      if (step === undefined) throw new Error(`there is no step "${name}": ${value.map((each) => each.name).join(', ')}`);
      return step.id;
    },
    settings: async (patch) => {
      const answer = await http.request('PATCH', '/api/airlock/v1/settings', { body: patch });
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    },
  };
}

/** Lines of warnings and worse, and what is no log line at all. */
function warningsOf(logs: string): string {
  return logs
    .split('\n')
    .filter((line) => !/^\{"level":[123]0,/.test(line))
    .join('\n');
}

/** One system for the file that calls this at its top. What the services logged is printed when a test of the file fails. */
export function usePluginSystem(options: AirlockOptions = {}): PluginSystem {
  let system: PluginSystem | undefined;
  let failed = false;
  const made = () => {
    if (system === undefined) throw new Error('the system is there from beforeAll on');
    return system;
  };
  beforeAll(async () => {
    const airlock = await startAirlock(options);
    const connect = (url: string) => postgres(url, { max: 2, onnotice: () => undefined });
    system = systemOf(airlock, { sql: connect(airlock.database.url), adminSql: connect(inject('postgresUrl')) });
    await defineExampleTables(airlock.http);
    await system.settings({ pluginTraceLogSetting: 2 });
  }, 90_000);
  afterEach(({ task }) => {
    failed ||= task.result?.state === 'fail';
  });
  afterAll(async () => {
    if (system === undefined) return;
    if (failed) process.stderr.write(`${warningsOf(system.airlock.logs())}\n`);
    await Promise.all([system.sql.end({ timeout: 5 }), system.adminSql.end({ timeout: 5 })]);
    await system.airlock[Symbol.asyncDispose]();
  });
  return new Proxy({} as PluginSystem, { get: (_, name) => Reflect.get(made(), name) });
}
