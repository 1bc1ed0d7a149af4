import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltBundle } from './build-bundle.ts';

/** SHA-256 of the code as it is stored, 64 hexadecimal digits. */
export function digestOf({ code }: Pick<BuiltBundle, 'code'>): string {
  return createHash('sha256').update(code, 'utf8').digest('hex');
}

/** Writes `dist/bundle.js`, its source map and the manifest; answers their paths. */
export async function writeBundle(dir: string, { code, sourceMap, manifest }: BuiltBundle): Promise<readonly string[]> {
  const dist = join(dir, 'dist');
  await mkdir(dist, { recursive: true });
  const files = { 'bundle.js': code, 'bundle.js.map': sourceMap, 'manifest.json': `${JSON.stringify(manifest, undefined, 2)}\n` };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(dist, name), text)));
  return Object.keys(files).map((name) => join(dist, name));
}
