import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

/** `.airlock/dev.json`: where the local system is, for tools. It holds the operator's key, so only its owner reads it. */
const DevFile = z.object({
  url: z.string(),
  token: z.string(),
  databaseUrl: z.string(),
  natsUrl: z.string(),
  /** Empty when the system does not run. */
  pids: z.record(z.string(), z.int()),
});
export type DevFile = z.output<typeof DevFile>;

/** `undefined` when there is none, or none that can be understood. */
export async function readDevFile(path: string): Promise<DevFile | undefined> {
  try {
    return DevFile.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

export async function writeDevFile(path: string, content: DevFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}`;
  await writeFile(aside, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(aside, path);
}
