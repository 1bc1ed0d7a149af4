import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BundleManifest } from '@airlock/protocol';
import { z } from 'zod';
import { BuildError } from './build-error.ts';

/** The parts of a package.json that make a bundle. */
const ProjectFile = z.object({
  name: BundleManifest.shape.name,
  version: BundleManifest.shape.version,
  description: z.string().max(2_000).default(''),
  airlock: z.strictObject({
    /** Path of the module whose exports are the plug-in types. */
    entry: z.string().min(1),
    stateless: z.boolean().default(false),
  }),
});

export interface Project {
  /** Absolute, without symbolic links. */
  readonly dir: string;
  readonly entry: string;
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly stateless: boolean;
}

export async function readProject(dir: string): Promise<Project> {
  const root = await realpath(dir).catch(() => undefined);
  if (root === undefined) throw new BuildError([{ text: `There is no folder "${dir}".` }]);
  const { airlock, ...named } = parse(await readProjectFile(root));
  const isFile = await stat(join(root, airlock.entry)).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) throw new BuildError([{ file: 'package.json', text: `airlock.entry names "${airlock.entry}", and there is no such file.` }]);
  return { dir: root, entry: airlock.entry, stateless: airlock.stateless, ...named };
}

async function readProjectFile(root: string): Promise<string> {
  try {
    return await readFile(join(root, 'package.json'), 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BuildError([{ text: `package.json cannot be read (${reason}). Run the command in a plug-in project, or name its folder.` }]);
  }
}

function parse(text: string): z.output<typeof ProjectFile> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new BuildError([{ file: 'package.json', text: `is not JSON: ${error instanceof Error ? error.message : String(error)}` }]);
  }
  const parsed = ProjectFile.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new BuildError(parsed.error.issues.map((issue) => ({ file: 'package.json', text: `${issue.path.join('.') || 'the file'}: ${hint(issue)}` })));
}

function hint(issue: z.core.$ZodIssue): string {
  if (issue.path.length === 1 && issue.path[0] === 'airlock') return 'is missing. Add for example "airlock": { "entry": "src/index.ts" }.';
  return `${issue.message}.`;
}
