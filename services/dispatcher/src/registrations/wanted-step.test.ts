import { DeclaredStep } from '@airlock/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPlainName } from './plain-text.ts';
import { planPush } from './plan-push.ts';
import type { RegisteredBundle } from './registered-step.ts';
import { wantedSteps } from './wanted-step.ts';

const declared = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'a #2', 'c'),
    message: fc.constantFrom('Create', 'Update', 'Delete'),
    table: fc.constantFrom('account', 'contact'),
    stage: fc.constantFrom('PreValidation', 'PreOperation', 'PostOperation'),
    mode: fc.constantFrom('Synchronous', 'Asynchronous'),
    rank: fc.integer({ min: 0, max: 3 }),
    filteringAttributes: fc.subarray(['name', 'fax']),
    enabled: fc.boolean(),
    configuration: fc.constantFrom('', 'x'),
    images: fc.uniqueArray(fc.record({ alias: fc.constantFrom('pre', 'post'), type: fc.constantFrom('PreImage', 'PostImage') }), {
      selector: ({ alias }) => alias,
      maxLength: 2,
    }),
  },
  { requiredKeys: ['message', 'table', 'stage'] },
);
const bundle = fc.array(declared, { maxLength: 8 });
const wantedOf = (steps: readonly unknown[]) => wantedSteps([{ typeName: 'Type', steps: [...steps] }]);

test('every step of a bundle has a name of its own, and the same bundle gives the same names', () => {
  fc.assert(
    fc.property(bundle, (steps) => {
      const names = wantedOf(steps).map(({ name }) => name);
      expect(new Set(names).size).toBe(steps.length);
      expect(wantedOf(steps).map(({ name }) => name)).toEqual(names);
    }),
  );
});

/** What is registered after a push of `steps` over nothing, or over what was there. */
function registeredAfter(steps: readonly unknown[], before: RegisteredBundle = { versions: [], steps: [] }): RegisteredBundle {
  const push = { name: 'b', version: '1.0.0', digest: 'd' as never, typeNames: ['Type'], steps: wantedOf(steps) };
  const { create, update, remove } = planPush(push, before);
  const gone = new Set([...remove, ...update.map(({ registered }) => registered)].map(({ id }) => id));
  const stored = [
    ...create.map((step) => ({ id: `id of ${step.name}`, step })),
    ...update.map(({ registered, settled }) => ({ id: registered.id, step: settled })),
  ];
  const fresh = stored.map(({ id, step }) => ({
    ...step,
    id: id as never,
    bundleVersion: '1.0.0',
    hasSecureConfiguration: false,
    supportedDeployment: 0,
    images: step.images.map((image) => ({ ...image, id: 'i' })),
  }));
  return {
    versions: [
      { id: 'v', version: '1.0.0', digest: 'd' as never, stateless: false, isCurrent: true, signedBy: undefined, types: new Map([['Type', 't']]) },
    ],
    steps: [...before.steps.filter(({ id }) => !gone.has(id)), ...fresh],
  };
}

test('a push that was applied plans nothing when it comes again, whatever was there before', () => {
  fc.assert(
    fc.property(bundle, bundle, (first, second) => {
      const registered = registeredAfter(second, registeredAfter(first));
      const push = { name: 'b', version: '1.0.0', digest: 'd' as never, typeNames: ['Type'], steps: wantedOf(second) };
      const again = planPush(push, registered);
      expect([again.create, again.update, again.remove]).toEqual([[], [], []]);
      expect(again.changes.filter(({ action }) => action !== 'unchanged')).toEqual([]);
    }),
  );
});

test('whatever a bundle says of its steps ends in a list or in an error with a registered code', () => {
  fc.assert(
    fc.property(fc.array(fc.anything(), { maxLength: 5 }), (steps) => {
      try {
        expect(wantedOf(steps)).toHaveLength(steps.length);
      } catch (error) {
        expect((error as Error).name).toBe('PlatformError');
      }
    }),
  );
});

test('a bundle that declares too many steps is refused before any is looked at', () => {
  const types = Array.from({ length: 20 }, (_, index) => ({ typeName: `T${index}`, steps: Array.from({ length: 64 }, () => ({})) }));
  expect(() => wantedSteps(types)).toThrow('1280 steps');
});

test('the order of filtering and image columns is not a difference', () => {
  const step = { message: 'Update', table: 'account', stage: 'PostOperation' };
  const [one] = wantedOf([{ ...step, filteringAttributes: ['b', 'a', 'b'] }]);
  expect(one?.filteringAttributes).toEqual(['a', 'b']);
});

test('names with line ends, escape or direction characters are not plain', () => {
  expect(['a\nb', 'a\u001b[0m', 'a\u202eb', 'a\u0000'].map(isPlainName)).toEqual([false, false, false, false]);
  expect(isPlainName(DeclaredStep.parse({ message: 'Créer 日本', stage: 'PreOperation' }).message)).toBe(true);
});
