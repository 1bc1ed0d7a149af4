import { readFile } from 'node:fs/promises';
import { ApiError } from './api-error.ts';
import { buildCommand } from './build-command.ts';
import { BuildError } from './build-error.ts';
import { bundlesCommand } from './bundles-command.ts';
import { keysCommand } from './keys-command.ts';
import { type Options, readOptions } from './options.ts';
import { pushCommand } from './push-command.ts';
import { signingKeysCommand } from './signing-keys-command.ts';
import { stepsCommand } from './steps-command.ts';
import type { Terminal } from './terminal.ts';
import { tracesCommand } from './traces-command.ts';
import { UsageError } from './usage-error.ts';
import { usersCommand } from './users-command.ts';

export const usage = `airlock <command>

  build [dir]                     bundle a plug-in project into dist/
  push [dir]                      build it, show what would change, apply it
  steps list                      all registered steps
  steps enable|disable <id|name>  switch a step on or off
  traces show <trace id>          what the plug-ins of one operation wrote, and how they failed
  bundles list                    all versions of all bundles, and who signed them
  bundles remove <name>[@<ver>]   remove what no step runs any more
  users create <full name>        with --role user|author|operator [--email]; prints the id
  keys create <user id>           an API key, with --name [--days]; shown this once
  keys revoke <key id>
  keys generate-signing <file>    a key pair for signing bundles: <file> and <file>.pub
  signing-keys list | add <public key file> --name <name> | revoke <id>

  --plan          push: show the plan and stop
  --yes, -y       push: apply without a question
  --sign <file>   push: sign the bundle with this private key
  --organization  push --sign: for this organization id, not for the one that the server names
  --json          print the result (or the error) as JSON
  --url, --token  the server and an API key; default AIRLOCK_URL and AIRLOCK_TOKEN,
                  then .airlock/dev.json of a system started with "npm start"
  --timeout <s>   for each request, default 60
  --version, --help

Exit codes: 0 done, 1 refused or failed, 2 the command line is not understood.`;

/** 0 done, 1 refused or failed, 2 not understood. */
export type ExitCode = 0 | 1 | 2;

const commands: Readonly<Record<string, (options: Options, terminal: Terminal) => Promise<void>>> = {
  build: buildCommand,
  bundles: bundlesCommand,
  keys: keysCommand,
  push: pushCommand,
  'signing-keys': signingKeysCommand,
  steps: stepsCommand,
  traces: tracesCommand,
  users: usersCommand,
};

/** Runs one command line. Never throws for what a user, a project or a server did wrong. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    const options = readOptions(args);
    if (options.version) terminal.print(await ownVersion());
    else if (options.help) terminal.print(usage);
    else await runCommand(options, terminal);
    return 0;
  } catch (error) {
    return report(error, args.includes('--json'), terminal);
  }
}

async function runCommand(options: Options, terminal: Terminal): Promise<void> {
  const [name, ...words] = options.words;
  if (name === undefined) throw new UsageError(usage);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined)
    throw new UsageError(`There is no command "${name}"; there are ${Object.keys(commands).join(', ')}. See "airlock --help".`);
  await command({ ...options, words }, terminal);
}

function report(error: unknown, json: boolean, { print, note, paint }: Terminal): ExitCode {
  const known = error instanceof UsageError || error instanceof BuildError || error instanceof ApiError;
  if (!known) throw error;
  if (json) print(JSON.stringify({ error: errorJson(error) }));
  else note(errorText(error, paint));
  return error instanceof UsageError ? 2 : 1;
}

type KnownError = UsageError | BuildError | ApiError;

function errorText(error: KnownError, paint: Terminal['paint']): string {
  const code = error instanceof ApiError && error.code !== '' ? ` ${error.code}` : '';
  const trace = error instanceof ApiError && error.traceId !== '' ? `\ntrace ${error.traceId}` : '';
  return `${paint('red', `error${code}:`)} ${error.message}${trace}`;
}

function errorJson(error: KnownError): object {
  if (error instanceof ApiError) return { code: error.code, message: error.message, status: error.status, traceId: error.traceId };
  if (error instanceof BuildError) return { code: 'BUILD', message: error.message, problems: error.problems };
  return { code: 'USAGE', message: error.message };
}

async function ownVersion(): Promise<string> {
  const own: unknown = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof own === 'object' && own !== null && 'version' in own ? String(own.version) : 'unknown';
}
