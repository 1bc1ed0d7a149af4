import { expect, test } from 'vitest';
import { readText } from './repository-files.ts';
import { retryPage } from './retry-page.ts';

test('docs/retries.md is what the policy says', () => {
  // When this fails: node test/architecture/retry-page.ts
  expect(readText('docs/retries.md')).toBe(retryPage());
});
