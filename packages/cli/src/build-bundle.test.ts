import { BundleManifest } from '@airlock/protocol';
import { expect, test } from 'vitest';
import { buildBundle } from './build-bundle.ts';
import { BuildError } from './build-error.ts';
import { loadBundle } from './testing/load-bundle.ts';
import { makeProject, packageJson } from './testing/make-project.ts';

async function problemsOf(dir: string): Promise<BuildError['problems']> {
  const error: unknown = await buildBundle(dir).catch((thrown: unknown) => thrown);
  if (!(error instanceof BuildError)) throw new Error('The build should have failed.', { cause: error });
  return error.problems;
}

test('a project becomes CommonJS with its plug-in types, a manifest and a source map with the sources in it', async () => {
  await using project = await makeProject();
  const { manifest, code, sourceMap, warnings } = await buildBundle(project.dir);
  expect(loadBundle(code)['rule']).toMatchObject({ kind: 'airlock.plugin', steps: [{ message: 'Create' }] });
  expect(BundleManifest.parse(manifest)).toEqual({
    manifestVersion: 1,
    name: '@test/plugin',
    version: '1.0.0',
    stateless: true,
    sdkVersion: '0.1.0',
    description: '',
  });
  const map = JSON.parse(sourceMap) as { version: number; sources: string[]; sourcesContent: string[] };
  expect(map.version).toBe(3);
  expect(map.sourcesContent[map.sources.indexOf('src/index.ts')]).toContain('export const rule');
  expect(warnings).toEqual([]);
});

test('the same sources give the same bytes, at another time and in another folder', async () => {
  await using linked = await makeProject();
  expect(await buildBundle(linked.dir)).toEqual(await buildBundle(linked.dir));
  // Without the SDK, because the tests link it from outside of the project, and the way there differs.
  const source = { 'src/index.ts': 'export const rule = { execute() {} };' };
  await using here = await makeProject(source);
  await using there = await makeProject(source);
  expect(await buildBundle(there.dir)).toEqual(await buildBundle(here.dir));
});

test.for(['node:fs', 'fs/promises', 'crypto'])('the Node.js module %s is refused with the file and line that import it', async (name) => {
  await using project = await makeProject({
    'src/index.ts': "import './deep.ts';",
    'src/deep.ts': `\n\nimport * as it from '${name}';\nconsole.log(it);`,
  });
  const [problem] = await problemsOf(project.dir);
  expect(problem).toMatchObject({ file: 'src/deep.ts', line: 3 });
  expect(problem?.text).toContain(`"${name}" is a module of Node.js`);
});

test('a library that stands in for a module of Node.js is taken', async () => {
  await using project = await makeProject({
    'src/index.ts': "import { place } from 'events';\nexport const rule = { place, execute() {} };",
    'node_modules/events/package.json': '{"name":"events","version":"1.0.0","main":"index.js"}',
    'node_modules/events/index.js': 'exports.place = "library";',
  });
  expect((await buildBundle(project.dir)).code).toContain('library');
});

test('every syntax error is named with its place', async () => {
  await using project = await makeProject({
    'src/index.ts': "import './a.ts';\nimport './b.ts';",
    'src/a.ts': 'const = 1;',
    'src/b.ts': 'let x = ;',
  });
  const problems = await problemsOf(project.dir);
  expect(problems.map(({ file, line, column }) => [file, line, column])).toEqual([
    ['src/a.ts', 1, 7],
    ['src/b.ts', 1, 9],
  ]);
});

test.for([
  ['no airlock section', packageJson({ airlock: undefined }), 'airlock: is missing'],
  ['a version that is none', packageJson({ version: '1.0' }), 'version: must be a semantic version'],
  ['an unknown member', packageJson({ airlock: { entry: 'src/index.ts', statless: true } }), 'airlock'],
  ['an entry that is not there', packageJson({ airlock: { entry: 'src/main.ts' } }), '"src/main.ts", and there is no such file'],
  ['no JSON at all', '{', 'is not JSON'],
] as const)('a package.json with %s is refused', async ([, text, problem]) => {
  await using project = await makeProject({ 'package.json': text });
  const problems = await problemsOf(project.dir);
  expect(problems[0]).toMatchObject({ file: 'package.json', text: expect.stringContaining(problem) });
});

test('a folder that is not there is an error that names it', async () => {
  expect(await problemsOf('/nowhere/at/all')).toEqual([{ text: 'There is no folder "/nowhere/at/all".' }]);
});

test('a bundle over the limit is refused with both sizes', async () => {
  await using project = await makeProject({ 'src/index.ts': `export const rule = { text: '${'x'.repeat(4_300_000)}', execute() {} };` });
  expect((await problemsOf(project.dir))[0]?.text).toMatch(/^The bundle has 43\d{5} bytes, the limit is 4194304\./);
});
