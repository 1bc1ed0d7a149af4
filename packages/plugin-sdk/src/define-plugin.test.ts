import { expect, expectTypeOf, test } from 'vitest';
import { PluginDeclarationError } from './declaration-error.ts';
import { definePlugin } from './define-plugin.ts';
import type { Entity, EntityImage, EntityReference } from './entity.ts';

const step = { message: 'Update', table: 'account', stage: 'PreOperation' } as const;
const declare = (declaration: unknown) => () => definePlugin(declaration as never);

test('a declaration comes back marked and with its steps', () => {
  const execute = () => {};
  expect(definePlugin({ typeName: 'Credit', steps: [step], execute })).toEqual({
    kind: 'airlock.plugin',
    typeName: 'Credit',
    steps: [step],
    execute,
  });
});

test('a plug-in without steps is a plug-in', () => {
  expect(definePlugin({ execute() {} }).steps).toEqual([]);
});

test('nobody can change a declaration afterwards', () => {
  const plugin = definePlugin({ steps: [{ ...step, images: [{ alias: 'before', type: 'PreImage', columns: ['name'] }] }], execute() {} });
  expect(Object.isFrozen(plugin)).toBe(true);
  expect(Object.isFrozen(plugin.steps[0]?.images[0].columns)).toBe(true);
});

test.for([
  ['no declaration', undefined, 'the argument'],
  ['no execute', { steps: [step] }, 'execute'],
  ['an execute that cannot be called', { execute: 'run' }, 'execute'],
  ['an unknown member', { execute() {}, stepps: [] }, 'stepps'],
  ['steps that are no list', { execute() {}, steps: step }, 'steps'],
  ['a step without a message', { execute() {}, steps: [{ stage: 'PreOperation' }] }, 'steps[0].message'],
  ['a stage by number', { execute() {}, steps: [{ ...step, stage: 20 }] }, 'steps[0].stage'],
  ['an unknown stage in the second step', { execute() {}, steps: [step, { ...step, stage: 'Post' }] }, 'steps[1].stage'],
  ['an asynchronous step before the operation', { execute() {}, steps: [{ ...step, mode: 'Asynchronous' }] }, 'steps[0].mode'],
  ['a rank that is no whole number', { execute() {}, steps: [{ ...step, rank: 1.5 }] }, 'steps[0].rank'],
  ['columns in one text', { execute() {}, steps: [{ ...step, filteringAttributes: 'name,revenue' }] }, 'steps[0].filteringAttributes'],
  ['an image without an alias', { execute() {}, steps: [{ ...step, images: [{ type: 'PreImage' }] }] }, 'steps[0].images[0].alias'],
  [
    'two images with one alias',
    { execute() {}, steps: [{ ...step, images: ['PreImage', 'Both'].map((type) => ({ alias: 'a', type })) }] },
    'steps[0].images[1].alias',
  ],
  ['an unknown limit', { execute() {}, steps: [{ ...step, limits: { seconds: 3 } }] }, 'steps[0].limits.seconds'],
  ['a limit of nothing', { execute() {}, steps: [{ ...step, limits: { wallMs: 0 } }] }, 'steps[0].limits.wallMs'],
  ['a member of every object that is not a field', { execute() {}, steps: [{ ...step, constructor: 1 }] }, 'steps[0].constructor'],
  [
    'two steps of one name',
    {
      execute() {},
      steps: [
        { ...step, name: 'a' },
        { ...step, name: 'a' },
      ],
    },
    'steps[1].name',
  ],
] as const)('%s is refused with its place', ([, declaration, place]) => {
  expect(declare(declaration)).toThrow(PluginDeclarationError);
  expect(declare(declaration)).toThrow(`definePlugin: ${place} `);
});

test('the target has the type that the messages of the steps give it', () => {
  definePlugin({
    steps: [{ message: 'Create', stage: 'PreOperation' }, step],
    execute({ target }) {
      expectTypeOf(target).toEqualTypeOf<Entity>();
    },
  });
  definePlugin({
    steps: [{ message: 'Delete', stage: 'PreOperation' }],
    execute({ target }) {
      expectTypeOf(target).toEqualTypeOf<EntityReference>();
    },
  });
  definePlugin({
    steps: [step, { message: 'Delete', stage: 'PreOperation' }],
    execute({ target }) {
      expectTypeOf(target).toEqualTypeOf<Entity | EntityReference>();
    },
  });
  definePlugin({
    steps: [{ message: 'acme_Approve', stage: 'PreOperation' }],
    execute({ target }) {
      expectTypeOf(target).toEqualTypeOf<Entity | EntityReference | undefined>();
    },
  });
});

test('images are known by the aliases of the steps', () => {
  definePlugin({
    steps: [
      {
        ...step,
        stage: 'PostOperation',
        images: [
          { alias: 'before', type: 'PreImage' },
          { alias: 'both', type: 'Both' },
        ],
      },
    ],
    execute({ preImages, postImages }) {
      expectTypeOf(preImages.before).toEqualTypeOf<EntityImage | undefined>();
      expectTypeOf(postImages.both).toEqualTypeOf<EntityImage | undefined>();
      // @ts-expect-error no step declares a post-image of this alias
      void postImages.before;
    },
  });
});

test('mistakes in a declaration are errors of the compiler', () => {
  const wrong = () => {
    // @ts-expect-error there is no such stage
    definePlugin({ steps: [{ message: 'Create', stage: 'PostValidation' }], execute() {} });
    // @ts-expect-error an image needs an alias
    definePlugin({ steps: [{ message: 'Update', stage: 'PreOperation', images: [{ type: 'PreImage' }] }], execute() {} });
    // @ts-expect-error execute is missing
    definePlugin({ steps: [] });
    definePlugin({
      steps: [step],
      execute({ executionContext }) {
        // @ts-expect-error what happened is not for a plug-in to change
        executionContext.depth = 1;
        executionContext.sharedVariables['seen'] = true;
      },
    });
  };
  expect(wrong).toThrow(PluginDeclarationError);
});

test('the stack of a wrong declaration begins where it stands, not in the SDK', () => {
  const problem = (() => {
    try {
      return declare({ steps: [{ ...step, stage: 'Post' }], execute() {} })();
    } catch (error) {
      return error;
    }
  })();
  const [, first = ''] = (problem as Error).stack?.split('\n') ?? [];
  expect(first).toContain('define-plugin.test.ts');
});
