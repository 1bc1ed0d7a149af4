import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface TestProject extends AsyncDisposable {
  readonly dir: string;
  write(files: Readonly<Record<string, string>>): Promise<void>;
}

export const packageJson = (changes: object = {}): string =>
  JSON.stringify({ name: '@test/plugin', version: '1.0.0', airlock: { entry: 'src/index.ts', stateless: true }, ...changes });

export const pluginSource = `import { definePlugin } from '@airlock/plugin-sdk';
export const rule = definePlugin({ steps: [{ message: 'Create', table: 'account', stage: 'PreOperation' }], execute() {} });
`;

/** A plug-in project in a folder of its own, with the SDK where an installation would put it. */
export async function makeProject(files: Readonly<Record<string, string>> = {}): Promise<TestProject> {
  const dir = await mkdtemp(join(tmpdir(), 'airlock-cli-'));
  const write: TestProject['write'] = async (texts) => {
    for (const [name, text] of Object.entries(texts)) {
      await mkdir(dirname(join(dir, name)), { recursive: true });
      await writeFile(join(dir, name), text);
    }
  };
  await mkdir(join(dir, 'node_modules/@airlock'), { recursive: true });
  await symlink(fileURLToPath(new URL('../../../plugin-sdk', import.meta.url)), join(dir, 'node_modules/@airlock/plugin-sdk'));
  await write({ 'package.json': packageJson(), 'src/index.ts': pluginSource, ...files });
  return { dir, write, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}
