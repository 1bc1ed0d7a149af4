import { parseArgs } from 'node:util';
import { UsageError } from './usage-error.ts';

export interface Options {
  readonly words: readonly string[];
  readonly json: boolean;
  readonly plan: boolean;
  readonly yes: boolean;
  readonly help: boolean;
  readonly version: boolean;
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly name: string | undefined;
  readonly role: string | undefined;
  readonly email: string | undefined;
  readonly days: string | undefined;
  /** File of a private key. */
  readonly sign: string | undefined;
  readonly organization: string | undefined;
}

const MAX_TIMEOUT_SECONDS = 3_600;

export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const { json = false, plan = false, yes = false, help = false, version = false, url, token, timeout } = values;
  const { name, role, email, days, sign, organization } = values;
  const timeoutMs = timeout === undefined ? undefined : timeoutMsOf(timeout);
  return { words: positionals, json, plan, yes, help, version, url, token, timeoutMs, name, role, email, days, sign, organization };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        plan: { type: 'boolean' },
        yes: { type: 'boolean', short: 'y' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
        url: { type: 'string' },
        token: { type: 'string' },
        timeout: { type: 'string' },
        name: { type: 'string' },
        role: { type: 'string' },
        email: { type: 'string' },
        days: { type: 'string' },
        sign: { type: 'string' },
        organization: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function timeoutMsOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS))
    throw new UsageError(`--timeout is a number of seconds up to ${MAX_TIMEOUT_SECONDS}, not "${text}".`);
  return Math.ceil(seconds * 1_000);
}
