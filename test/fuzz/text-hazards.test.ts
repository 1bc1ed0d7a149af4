import { ConditionOperator } from '@airlock/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { usePluginSystem } from '../support/plugin-system.ts';
import { anyJson, hazard } from './hostile-values.ts';
import { expectAlive } from './still-alive.ts';

/**
 * What a plug-in says, in every place where it can say something. Rule: the operation ends with the plug-in's own outcome,
 * never with an error of the platform, and the trace log row is always there, clean enough for every reader.
 */
const system = usePluginSystem({ dispatcherEnv: { AIRLOCK_RATE_PER_KEY: '100000000' } });

const WAYS = [
  'trace',
  'throw',
  'throw-text',
  'throw-object',
  'reject',
  'shared-variable',
  'shared-name',
  'write',
  'service-call',
  'name',
  'cause',
  'output',
  'fetch',
] as const;
const HAZARD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u2028\u2029]/;
const isClean = (text: string): boolean => text.isWellFormed() && !HAZARD.test(text);

/** The text crosses to the plug-in as plain ASCII, so that the plug-in is where the hazard begins. */
const ascii = (value: unknown): string =>
  JSON.stringify(value).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const SOURCE = `
  export const speaking = definePlugin({
    steps: [{ name: 'speaking', message: 'Create', table: 'account', stage: 'PreOperation', mode: 'Synchronous' }],
    async execute({ executionContext, tracing, organizationService }) {
      const target = executionContext.inputParameters.Target.attributes;
      if (!target.description) return;
      const { way, text } = JSON.parse(target.description);
      target.description = null;
      tracing.trace('begun');
      switch (way) {
        case 'trace': tracing.trace(text); console.log(text, { [text]: text }); break;
        case 'throw': throw new Error(text);
        case 'throw-text': throw text;
        case 'throw-object': throw { [text]: text, message: text, name: text, stack: text };
        case 'reject': throw new InvalidPluginExecutionException(text);
        case 'shared-variable': executionContext.sharedVariables.value = text; break;
        case 'shared-name': executionContext.sharedVariables[text] = 1; break;
        case 'write': target.telephone1 = text; break;
        case 'service-call': await organizationService.create('account', { name: text }); break;
        case 'name': { const error = new Error('x'); error.name = text; error.stack = text; throw error; }
        case 'cause': throw new Error('x', { cause: new Error(text, { cause: text }) });
        case 'output': executionContext.outputParameters[text] = text; break;
        case 'fetch': await fetch(text, { headers: { a: text } }); break;
      }
    },
  });`;

const Problem = z.object({ error: z.looseObject({ code: z.string(), message: z.string() }) });
/** A plug-in's own failures, a refusal of what it wrote, and what it broke of the sandbox' protocol. */
const OWN_CODES = ['0x80040224', '0x80040265', '0x8008f004', '0x80040203', '0x80048d19', '0x80044331'];

test('whatever text a plug-in traces, throws, rejects with or writes, the failure is its own and is recorded', async () => {
  await system.install(SOURCE);
  let recorded = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...WAYS), hazard, async (way, text) => {
      const answer = await system.http.request('POST', 'accounts', { body: { name: 'A', description: ascii({ way, text }) } });
      const body = JSON.stringify(answer.body);
      if (answer.status !== 204) {
        const { error } = Problem.parse(answer.body);
        expect(OWN_CODES, `${way} ${ascii(text)}: ${answer.status} ${body}`).toContain(error.code);
        expect(isClean(error.message), `${way}: ${ascii(error.message)}`).toBe(true);
      }
      const rows = await system.traces(answer, 1);
      for (const row of rows) {
        recorded += 1;
        for (const [name, value] of Object.entries(row))
          if (typeof value === 'string') expect(isClean(value), `${way} ${name}: ${ascii(value)}`).toBe(true);
      }
      expect(rows.some(({ messageblock }) => messageblock?.startsWith('begun') === true)).toBe(true);
    }),
    { numRuns: 120, interruptAfterTimeLimit: 7_000, endOnFailure: true },
  );
  expect(recorded).toBeGreaterThan(3);
  await expectAlive(system);
});

const ASKING = `
  export const asking = definePlugin({
    steps: [{ name: 'asking', message: 'Create', table: 'fuzzcase', stage: 'PreValidation', mode: 'Synchronous' }],
    async execute({ executionContext, tracing, organizationService, systemService }) {
      const target = executionContext.inputParameters.Target.attributes;
      const calls = JSON.parse(target.calls);
      // The text of a fault quotes what was asked; as plain ASCII it stays one line of the trace.
      for (const { op, args } of calls) {
        try { await organizationService[op](...args); tracing.trace(JSON.stringify({ ok: true })); }
        catch (error) { tracing.trace(JSON.stringify({ code: error.code ?? error.name, message: String(error.message).replace(/[^\\x20-\\x7e]/g, '?') })); }
      }
    },
  });`;

test('whatever a plug-in asks of the service, the answer is a result or a fault that says what was wrong', async () => {
  const columns = [
    { logicalName: 'name', displayName: 'Name', type: 'string' },
    { logicalName: 'calls', displayName: 'Calls', type: 'memo', maxLength: 1_000_000 },
  ];
  const names = {
    logicalName: 'fuzzcase',
    displayName: 'Case',
    displayCollectionName: 'Cases',
    entitySetName: 'fuzzcases',
    primaryNameAttribute: 'name',
  };
  expect((await system.http.request('POST', '/api/airlock/v1/tables', { body: { ...names, columns } })).status).toBe(201);
  await system.install(ASKING);
  const table = fc.oneof({ arbitrary: fc.constant('account'), weight: 6 }, { arbitrary: hazard, weight: 1 });
  const column = fc.oneof(
    { arbitrary: fc.constantFrom('name', 'telephone1', 'description', 'accountid', 'createdon', 'revenue', 'parentaccountid'), weight: 5 },
    { arbitrary: hazard, weight: 1 },
  );
  const value = fc.oneof(hazard, anyJson, fc.constantFrom('99999999-9999-4999-8999-999999999999', '2026-01-01T00:00:00Z', 1));
  const operator = fc.oneof({ arbitrary: fc.constantFrom(...ConditionOperator.options), weight: 8 }, { arbitrary: hazard, weight: 1 });
  const condition = fc.record({ column, operator, value: fc.oneof(value, fc.array(value, { maxLength: 3 })) });
  const query = fc.record(
    {
      table,
      columns: fc.array(column, { maxLength: 3 }),
      conditions: fc.array(condition, { maxLength: 3 }),
      orderBy: fc.array(fc.record({ column, descending: fc.boolean() }), { maxLength: 2 }),
      top: fc.oneof(fc.constantFrom(1, 5), anyJson),
    },
    { requiredKeys: ['table'] },
  );
  const attributes = fc.dictionary(column, value, { maxKeys: 3 });
  const call = fc.oneof(
    fc.tuple(query).map((args) => ({ op: 'retrieveMultiple', args })),
    fc.tuple(table, attributes).map((args) => ({ op: 'create', args })),
    fc.tuple(table, value, fc.array(column, { maxLength: 3 })).map((args) => ({ op: 'retrieve', args })),
    fc.tuple(table, value, attributes, fc.record({ rowVersion: anyJson }, { requiredKeys: [] })).map((args) => ({ op: 'update', args })),
    fc.tuple(table, value).map((args) => ({ op: 'delete', args })),
    fc.tuple(hazard, anyJson).map((args) => ({ op: 'execute', args })),
  );
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 15 }), async (calls) => {
      const answer = await system.http.request('POST', 'fuzzcases', { body: { name: 'A', calls: ascii(calls) } });
      expect(answer.status, JSON.stringify(answer.body)).toBe(204);
      for (const { code, message } of await system.seen(answer, 1)) {
        answered += 1;
        expect(code, `${String(message)} ${ascii(calls)}`).not.toBe('0x80040216');
      }
    }),
    { numRuns: 100, interruptAfterTimeLimit: 7_000, endOnFailure: true },
  );
  expect(answered).toBeGreaterThan(4);
  await expectAlive(system);
});
