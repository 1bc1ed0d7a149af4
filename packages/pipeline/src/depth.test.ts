import { describe, expect, test } from 'vitest';
import type { ExecutionContext } from './context.ts';
import { parentContextOf } from './context-chain.ts';
import { checkDepth, DEFAULT_MAX_DEPTH } from './depth.ts';
import { context } from './fixtures.ts';

const request = { limit: DEFAULT_MAX_DEPTH, messageName: 'Update', tableName: 'account', parent: null };
const calledBy = (name: string) => ({ owningExtension: { logicalName: 'sdkmessageprocessingstep', id: 'id', name } });

test('statement 22: the eighth nested call still runs, the ninth is refused', () => {
  expect(checkDepth({ ...request, depth: 8 })).toEqual({ allowed: true });
  expect(checkDepth({ ...request, depth: 9 })).toMatchObject({ allowed: false, code: 'PIPELINE_DEPTH_EXCEEDED', facts: { limit: 8 } });
});

test('a lower limit holds from the next depth on', () => {
  expect(checkDepth({ ...request, depth: 2, limit: 1 }).allowed).toBe(false);
});

const chainOf = (parent: ExecutionContext | null) => {
  const decision = checkDepth({ ...request, depth: 99, parent });
  return decision.allowed ? '' : decision.facts.chain;
};

describe('the chain', () => {
  test('says who called whom, outermost first', () => {
    const first = context({ ...calledBy('A'), depth: 1 });
    const second = context({ ...calledBy('B'), depth: 2, messageName: 'Update', parentContext: first });
    expect(chainOf(second)).toBe('Create account (step A) → Update account (step B) → Update account');
  });

  test('is only the message itself when nobody called', () => {
    expect(chainOf(null)).toBe('Update account');
  });

  test('shows an operation once although its later stages see it as their own parent', () => {
    const inStage20 = (depth: number, caller: ExecutionContext | null, name: string) => {
      const operation = context({ depth, ...calledBy('nobody') });
      const parentContext = parentContextOf({ stage: 20, messageName: 'Create', caller, operation, preValidationShared: {} });
      return context({ depth, ...calledBy(name), parentContext });
    };
    expect(chainOf(inStage20(2, inStage20(1, null, 'A'), 'B'))).toBe('Create account (step A) → Create account (step B) → Update account');
  });

  test('ends even when contexts do not', () => {
    let parent: ExecutionContext | null = null;
    for (let depth = 1; depth <= 100; depth += 1) parent = context({ depth, parentContext: parent, ...calledBy('x'.repeat(500)) });
    expect(chainOf(parent).split(' → ')).toHaveLength(16);
    expect(chainOf(parent).length).toBeLessThan(2_000);
  });
});
