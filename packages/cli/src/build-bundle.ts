import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { type BundleManifest, MAX_BUNDLE_BYTES, MAX_SOURCE_MAP_BYTES } from '@airlock/protocol';
import { type BuildFailure, build, type Message } from 'esbuild';
import { BuildError, type BuildProblem, problemText } from './build-error.ts';
import { type Project, readProject } from './read-project.ts';

/** What a push sends, and a line for each thing that the author should look at. */
export interface BuiltBundle {
  readonly manifest: BundleManifest;
  /** CommonJS. The same project gives the same text, whoever builds it and where. */
  readonly code: string;
  readonly sourceMap: string;
  readonly warnings: readonly string[];
}

/**
 * Bundles the plug-in project in `dir` (its package.json has an `airlock` section) without writing a file.
 * Throws {@link BuildError} with the place of every problem.
 */
export async function buildBundle(dir: string): Promise<BuiltBundle> {
  const project = await readProject(dir);
  const { code, sourceMap, warnings } = await bundleSource(project);
  checkSize('bundle', code, MAX_BUNDLE_BYTES);
  checkSize('source map', sourceMap, MAX_SOURCE_MAP_BYTES);
  const { name, version, stateless, description } = project;
  const sdkVersion = await sdkVersionOf(project.dir);
  return { manifest: { manifestVersion: 1, name, version, stateless, sdkVersion, description }, code, sourceMap, warnings };
}

async function bundleSource({ dir, entry }: Project): Promise<Pick<BuiltBundle, 'code' | 'sourceMap' | 'warnings'>> {
  const result = await build({
    absWorkingDir: dir,
    entryPoints: [entry.startsWith('.') ? entry : `./${entry}`],
    // Not below dist/: the paths in the source map are relative to this file, and should read as the author knows them.
    outfile: 'bundle.js',
    write: false,
    bundle: true,
    platform: 'browser',
    format: 'cjs',
    target: 'es2024',
    charset: 'utf8',
    sourcemap: 'external',
    sourcesContent: true,
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
    logLimit: 0,
  }).catch((error: unknown) => {
    throw isBuildFailure(error) ? new BuildError(error.errors.map(problemOf)) : error;
  });
  const textOf = (ending: string): string => result.outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
  return {
    code: textOf('bundle.js'),
    sourceMap: textOf('bundle.js.map'),
    warnings: result.warnings.map((message) => problemText(problemOf(message))),
  };
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

function problemOf({ text, location }: Message): BuildProblem {
  const place = location === null ? {} : { file: location.file, line: location.line, column: location.column + 1 };
  const unresolved = /^Could not resolve "([^"]+)"/.exec(text)?.[1];
  if (unresolved === undefined || !isBuiltin(unresolved)) return { text, ...place };
  const rule = `"${unresolved}" is a module of Node.js. A sandbox has none of them: use a standard global, the organization service, or another library.`;
  return { text: rule, ...place };
}

function checkSize(what: string, text: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return;
  throw new BuildError([
    { text: `The ${what} has ${bytes} bytes, the limit is ${maxBytes}. Look for a library that can be left out or imported in parts.` },
  ]);
}

/** Of the SDK that the project finds, as its imports do: the nearest `node_modules` on the way up. */
async function sdkVersionOf(dir: string): Promise<string> {
  for (let folder = dir; ; folder = dirname(folder)) {
    const text = await readFile(join(folder, 'node_modules/@airlock/plugin-sdk/package.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) return versionIn(text) ?? 'unknown';
    if (dirname(folder) === folder) return 'none';
  }
}

function versionIn(packageJson: string): string | undefined {
  const parsed: unknown = JSON.parse(packageJson);
  const version = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : undefined;
  return typeof version === 'string' ? version.slice(0, 32) : undefined;
}
