import { expect, test } from 'vitest';
import { parentContextOf, sharedVariablesAfterPreValidation } from './context-chain.ts';
import { context } from './fixtures.ts';

const caller = context({ messageName: 'Update', depth: 1 });
const operation = context({ depth: 2 });
const request = { caller, operation, preValidationShared: { fromValidation: 1 } };

test.for([20, 40] as const)('statement 26: stage %i reads the shared variables of PreValidation through its parent context', (stage) => {
  for (const messageName of ['Create', 'Update', 'Delete']) {
    const parent = parentContextOf({ ...request, stage, messageName });
    expect(parent?.sharedVariables).toEqual({ fromValidation: 1 });
    expect(parent?.depth).toBe(2);
    expect(parent?.parentContext).toBe(caller);
  }
});

test('statement 26: PreOperation and PostOperation begin with a collection of their own, with the tag of the caller', () => {
  expect(sharedVariablesAfterPreValidation('Create', { fromValidation: 1 })).toEqual({});
  expect(sharedVariablesAfterPreValidation('Create', { fromValidation: 1, tag: 'abc' })).toEqual({ tag: 'abc' });
});

test('PreValidation has the step that called as its parent, or nobody', () => {
  expect(parentContextOf({ ...request, stage: 10, messageName: 'Create' })).toBe(caller);
  expect(parentContextOf({ ...request, stage: 10, messageName: 'Create', caller: null })).toBeNull();
});

test.for(['Retrieve', 'RetrieveMultiple'])('the stages of %s share one collection and have the caller as their parent', (messageName) => {
  expect(parentContextOf({ ...request, stage: 20, messageName })).toBe(caller);
  expect(sharedVariablesAfterPreValidation(messageName, { fromValidation: 1 })).toEqual({ fromValidation: 1 });
});
