import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Connection } from './call-api.ts';
import type { Options } from './options.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** What a started development system says of itself. */
const DevFile = z.object({ url: z.string(), token: z.string() });

const HOW = 'Give --url and --token, set AIRLOCK_URL and AIRLOCK_TOKEN, or run the command below a folder in which Airlock was started.';

/** Options win over the environment. A development system's file counts only when neither says anything: a token never goes to the address in a file. */
export async function connectionOf({ url, token, timeoutMs }: Options, { env, cwd }: Terminal): Promise<Connection> {
  const named = { url: url ?? env['AIRLOCK_URL'], token: token ?? env['AIRLOCK_TOKEN'] };
  const found = named.url === undefined && named.token === undefined ? await developmentSystem(cwd) : named;
  if (found?.url === undefined || found.url === '') throw new UsageError(`Which server? ${HOW}`);
  if (found.token === undefined || found.token === '') throw new UsageError(`No token for ${originOf(found.url)}. ${HOW}`);
  originOf(found.url);
  return { url: found.url, token: found.token, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
}

function originOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol))
    throw new UsageError(`"${url}" is not the URL of a server, such as http://127.0.0.1:8080.`);
  return parsed.origin;
}

async function developmentSystem(cwd: string): Promise<z.output<typeof DevFile> | undefined> {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const text = await readFile(join(folder, '.airlock/dev.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) return devFileOf(text, folder);
    if (dirname(folder) === folder) return undefined;
  }
}

function devFileOf(text: string, folder: string): z.output<typeof DevFile> {
  try {
    return DevFile.parse(JSON.parse(text));
  } catch {
    throw new UsageError(`${join(folder, '.airlock/dev.json')} has no url and token. Start Airlock again, or give --url and --token.`);
  }
}
