import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { clear, codeOf, inspected, migrated, onCreate, oneType, onUpdate, openRegistry, operator, type Registry, upload } from './fixture.ts';
import { pushBundle } from './push-bundle.ts';

const database = useDatabase({ template: migrated });
let registry: Registry;
beforeAll(() => {
  registry = openRegistry(database.url);
});
afterAll(() => registry[Symbol.asyncDispose]());
beforeEach(async () => {
  await clear(registry.db);
});

const push = (...args: Parameters<typeof upload>) => pushBundle(registry.deps, upload(...args), operator, { plan: false });
const refusal = async (work: Promise<unknown>) =>
  await work.then(
    () => 'accepted',
    (error: unknown) => String(error),
  );

describe('a refused bundle changes nothing', () => {
  test.for([
    ['statement 1: an asynchronous step before PostOperation', { ...onCreate, mode: 'Asynchronous' }, 'ASYNC_STAGE'],
    ['statement 2: a stage that is not 10, 20 or 40', { ...onCreate, stage: 'MainOperation' }, 'STAGE_INVALID'],
    ['statement 3: a table that allows no custom steps', { ...onCreate, table: 'plugintracelog' }, 'STEP_NOT_ALLOWED'],
    ['statement 4: a pre-image on Create', { ...onCreate, stage: 'PostOperation', images: [{ alias: 'a', type: 'PreImage' }] }, 'IMAGE_TYPE_INVALID'],
    [
      'statement 5: a post-image on Delete',
      { message: 'Delete', table: 'account', stage: 'PostOperation', images: [{ alias: 'a', type: 'PostImage' }] },
      'IMAGE_TYPE_INVALID',
    ],
    ['statement 6: a post-image before PostOperation', { ...onCreate, images: [{ alias: 'a', type: 'PostImage' }] }, 'POST_IMAGE_STAGE'],
    [
      'statement 7: an image on a message that carries none',
      { message: 'Retrieve', table: 'account', stage: 'PreOperation', images: [{ alias: 'a', type: 'PreImage' }] },
      'IMAGE_NOT_SUPPORTED',
    ],
    [
      'statement 8: an image of a property that is not there',
      { ...onUpdate, images: [{ alias: 'a', type: 'PreImage', messageProperty: 'Entity' }] },
      'IMAGE_PROPERTY_INVALID',
    ],
    ['an unknown message', { ...onCreate, message: 'Explode' }, 'MESSAGE_UNKNOWN'],
    ['an unknown table', { ...onCreate, table: 'spaceship' }, 'TABLE_UNKNOWN'],
    ['an unknown filtering column', { ...onUpdate, filteringAttributes: ['shoesize'] }, 'STEP_COLUMN_UNKNOWN'],
    ['an unknown image column', { ...onUpdate, images: [{ alias: 'a', type: 'PreImage', columns: ['shoesize'] }] }, 'STEP_COLUMN_UNKNOWN'],
    ['an unknown limit', { ...onCreate, limits: { patience: 1 } }, 'STEP_INVALID'],
    ['a user who is not there', { ...onCreate, runAs: '00000000-0000-4000-8000-000000000bad' }, 'STEP_INVALID'],
    ['a runAs that is nothing', { ...onCreate, runAs: 'Root' }, 'STEP_INVALID'],
    ['a name with an escape character', { ...onCreate, name: 'a\u001b[31m' }, 'STEP_INVALID'],
    ['a configuration that Postgres cannot store', { ...onCreate, configuration: 'a\u0000' }, 'STEP_INVALID'],
    ['a step that is no object', 'Create', 'STEP_INVALID'],
  ] as const)('%s', async ([, step, code]) => {
    registry.answer(oneType(onCreate, step));
    expect(await codeOf(push('1.0.0'))).toBe(code);
    expect(await registry.db.query(sql`select 1 from airlock.pluginassembly`)).toEqual([]);
  });

  test('statement 10: two types with one name', async () => {
    registry.answer(
      inspected([
        { typeName: 'A', steps: [] },
        { typeName: 'A', steps: [] },
      ]),
    );
    expect(await codeOf(push('1.0.0'))).toBe('PLUGIN_TYPE_DUPLICATE');
  });

  test('statement 11: more bytes than the limit, with both counts in the text', async () => {
    const text = await refusal(push('1.0.0', { code: 'x'.repeat(4 * 1024 * 1024 + 1) }));
    expect(text).toContain("'4194305 bytes'");
    expect(text).toContain("'4194304 bytes'");
  });

  test('statement 12: a type without execute, code that throws at load, code that cannot be parsed', async () => {
    const error = { name: 'TypeError', message: 'x is not a function', stack: 'TypeError: x is not a function\n    at load (src/credit.ts:12:5)' };
    registry.answer(inspected([{ typeName: 'A', hasExecute: false, steps: [] }]));
    expect(await codeOf(push('1.0.0'))).toBe('PLUGIN_TYPE_INVALID');
    registry.answer(inspected([], { thrown: { error } }, 'throws-at-load'));
    expect(await refusal(push('1.0.0'))).toContain('throws while it loads: TypeError: x is not a function (src/credit.ts:12:5)');
    registry.answer(inspected([], { thrown: { error } }, 'not-parseable'));
    expect(await codeOf(push('1.0.0'))).toBe('BUNDLE_NOT_PARSEABLE');
    registry.answer(inspected([]));
    expect(await codeOf(push('1.0.0'))).toBe('BUNDLE_NO_TYPES');
  });

  test('a limit that the host measured is named before what the guest claims', async () => {
    const error = { name: 'Error', message: 'all fine', stack: '' };
    registry.answer(inspected([], { deadlineFired: true, thrown: { error } }, 'throws-at-load'));
    expect(await codeOf(push('1.0.0'))).toBe('BUNDLE_LIMIT_AT_LOAD');
  });

  test('trouble of the platform is not blamed on the bundle', async () => {
    registry.answer(inspected([], { shuttingDown: true }));
    expect(await codeOf(push('1.0.0'))).toBe('SHUTTING_DOWN');
  });

  test('a manifest that breaks a rule is refused with the path of the field', async () => {
    const wrong = { ...upload('1.0.0'), manifest: { ...upload('1.0.0').manifest, version: 'one' } };
    const text = await refusal(pushBundle(registry.deps, wrong, operator, { plan: false }));
    expect(text).toContain('version: must be a semantic version such as 1.2.3');
  });

  test('a manifest that Postgres cannot store is refused, not answered with an error of the database', async () => {
    const wrong = { ...upload('1.0.0'), manifest: { ...upload('1.0.0').manifest, description: 'a\u0000' } };
    expect(await codeOf(pushBundle(registry.deps, wrong, operator, { plan: false }))).toBe('BUNDLE_MANIFEST_INVALID');
  });

  test('the place in the declaration is part of the error', async () => {
    registry.answer(oneType(onCreate, { ...onCreate, images: [{ alias: 'a', type: 'SideImage' }] }));
    expect(await refusal(push('1.0.0'))).toContain('steps.1.images.0.type');
  });

  test('code that is not Unicode is refused, and bidirectional control characters are warned of', async () => {
    expect(await codeOf(push('1.0.0', { code: '"\ud800"' }))).toBe('BUNDLE_NOT_PARSEABLE');
    registry.answer(oneType());
    const { warnings } = await push('1.0.0', { code: '\ufeff// a\n// \u202e b' });
    expect(warnings[0]).toContain('byte order mark');
    expect(warnings[1]).toContain('line 2');
  });
});
