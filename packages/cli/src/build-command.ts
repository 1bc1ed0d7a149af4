import { relative, resolve } from 'node:path';
import { buildBundle } from './build-bundle.ts';
import type { Options } from './options.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { digestOf, writeBundle } from './write-bundle.ts';

export async function buildCommand({ words, json }: Options, { print, note, paint, cwd }: Terminal): Promise<void> {
  const dir = projectDir(words, cwd);
  const built = await buildBundle(dir);
  const files = await writeBundle(dir, built);
  const about = { manifest: built.manifest, digest: digestOf(built), bytes: Buffer.byteLength(built.code), files, warnings: built.warnings };
  for (const warning of built.warnings) note(paint('yellow', `warning: ${warning}`));
  if (json) return print(JSON.stringify(about));
  print(
    `${paint('bold', `${built.manifest.name} ${built.manifest.version}`)} ${paint('dim', `sha256 ${about.digest.slice(0, 12)}, ${about.bytes} bytes`)}`,
  );
  for (const file of files) print(`  ${relative(cwd, file)}`);
}

/** The one word that a command about a project takes: its folder, by default the current one. */
export function projectDir(words: readonly string[], cwd: string): string {
  if (words.length > 1) throw new UsageError(`One project at a time: ${words.join(', ')}.`);
  return resolve(cwd, words[0] ?? '.');
}
