import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuiltBundle, buildBundle } from '@airlock/cli';

const SDK = fileURLToPath(new URL('../../packages/plugin-sdk', import.meta.url));

export interface BundleSource {
  readonly name: string;
  readonly version: string;
  /** Text of `src/index.ts`. */
  readonly source: string;
  readonly stateless?: boolean;
}

/** Everything of the SDK that a test's plug-in may use; it stands on the first line, so that line numbers of the rest are one higher. */
export const SDK_IMPORT =
  "import { changedColumns, definePlugin, InvalidPluginExecutionException, OperationStatus, OrganizationServiceFault, PluginHttpStatusCode } from '@airlock/plugin-sdk';\n";

/** Builds a bundle as an author would: a project with a package.json, through the command line's own build. */
export async function buildSource({ name, version, source, stateless = false }: BundleSource): Promise<BuiltBundle> {
  const dir = await mkdtemp(join(tmpdir(), 'airlock-plugin-'));
  try {
    await mkdir(join(dir, 'node_modules/@airlock'), { recursive: true });
    await mkdir(join(dir, 'src'));
    await symlink(SDK, join(dir, 'node_modules/@airlock/plugin-sdk'));
    await writeFile(join(dir, 'package.json'), JSON.stringify({ name, version, airlock: { entry: 'src/index.ts', stateless } }));
    await writeFile(join(dir, 'src/index.ts'), source);
    return await buildBundle(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
