import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DeclaredStep } from '@airlock/protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { buildBundle } from './build-bundle.ts';
import { loadBundle } from './testing/load-bundle.ts';

const examples = fileURLToPath(new URL('../../../examples', import.meta.url));

/** What the guest runtime looks for in the exports of a bundle. */
const PluginType = z.object({
  kind: z.literal('airlock.plugin'),
  steps: z.array(DeclaredStep).min(1),
  execute: z.custom<(context: object) => unknown>((value) => typeof value === 'function'),
});

async function projects(): Promise<string[]> {
  const folders = await readdir(examples, { withFileTypes: true });
  const found: string[] = [];
  for (const { name } of folders.filter((entry) => entry.isDirectory())) {
    const text = await readFile(join(examples, name, 'package.json'), 'utf8').catch(() => '{}');
    if (Object.hasOwn(JSON.parse(text) as object, 'airlock')) found.push(name);
  }
  return found;
}

const names = await projects();

async function load(name: string): Promise<Map<string, z.output<typeof PluginType>>> {
  const { code } = await buildBundle(join(examples, name));
  return new Map(Object.entries(loadBundle(code)).map(([type, value]) => [type, PluginType.parse(value)]));
}

test('there are examples for what plug-ins are for', () => {
  expect(names).toEqual(expect.arrayContaining(['account-defaults', 'contact-validation', 'credit-control', 'follow-up-task', 'unexpected-error']));
});

test.for(names)('%s builds, loads, and declares steps that the platform understands', async (name) => {
  const types = await load(name);
  const steps = [...types.values()].flatMap(({ steps: declared }) => declared);
  expect(types.size).toBeGreaterThan(0);
  expect(new Set(steps.map((step) => step.name)).size).toBe(steps.length);
});

test.for(names)('%s is small enough to load quickly', async (name) => {
  expect(Buffer.byteLength((await buildBundle(join(examples, name))).code)).toBeLessThan(256 * 1024);
});

const noTrace = { trace() {} };
const account = (attributes: object) => ({ logicalName: 'account', attributes: { ...attributes } as Record<string, unknown> });

test('credit-control refuses with message, code and details', async () => {
  const rule = (await load('credit-control')).get('creditLimitRule');
  const target = account({ creditlimit: 500_000, revenue: 1_000_000 });
  expect(() => rule?.execute({ target, preImages: {}, configuration: { unsecure: '' }, tracing: noTrace })).toThrow(
    expect.objectContaining({
      name: 'InvalidPluginExecutionException',
      message: 'The credit limit of 500,000 exceeds 20 % of the revenue of 1,000,000: the highest is 200,000.',
      errorCode: 4711,
      exceptionDetails: { column: 'creditlimit', highestLimit: '200000' },
    }),
  );
});

test('credit-control looks at the row as it will be, not only at what was sent', async () => {
  const rule = (await load('credit-control')).get('creditLimitRule');
  const before = account({ creditlimit: 40_000, revenue: 1_000_000 });
  const lowered = { target: account({ revenue: 100_000 }), preImages: { before }, configuration: { unsecure: '' }, tracing: noTrace };
  expect(() => rule?.execute(lowered)).toThrow('exceeds 20 % of the revenue of 100,000');
});

test('unexpected-error breaks with a TypeError a few calls deep, for one name only', async () => {
  const note = (await load('unexpected-error')).get('quoteNote');
  const named = (name: string) => ({ target: account({ name }), tracing: noTrace });
  const thrown = await Promise.resolve()
    .then(() => note?.execute(named('Break me')))
    .catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(TypeError);
  expect((thrown as TypeError).stack).toMatch(/currencyOf[\s\S]*quoteFor[\s\S]*execute/);
  expect(note?.execute(named('Contoso'))).toBeUndefined();
});

test('contact-validation reports every problem at once', async () => {
  const rule = (await load('contact-validation')).get('validateContact');
  const target = { logicalName: 'contact', attributes: { lastname: ' ', emailaddress1: 'ada' } };
  expect(() => rule?.execute({ target })).toThrow('The contact is not valid: lastname is empty; emailaddress1 is not an e-mail address.');
});

const Records = z.array(z.object({ set: z.string(), values: z.record(z.string(), z.unknown()) }));

test('the records of the example model are let in by the examples', async () => {
  const records = Records.parse(JSON.parse(await readFile(join(examples, 'model/records.json'), 'utf8')));
  const [credit, contacts] = [await load('credit-control'), await load('contact-validation')];
  const rules = new Map([
    ['accounts', ['creditLimitRule', 'ibanRule'].map((type) => credit.get(type))],
    ['contacts', [contacts.get('validateContact')]],
  ]);
  for (const { set, values } of records) {
    const context = { target: { attributes: values }, preImages: {}, configuration: { unsecure: '' }, tracing: noTrace };
    for (const rule of rules.get(set) ?? []) rule?.execute(context);
  }
  expect(records.map(({ set }) => set)).toEqual(expect.arrayContaining(['accounts', 'contacts']));
});
