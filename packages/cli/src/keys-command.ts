import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { IssuedKey } from '@airlock/protocol';
import { z } from 'zod';
import { callApi } from './call-api.ts';
import { connectionOf } from './connection.ts';
import type { Options } from './options.ts';
import { fingerprintOf } from './sign-bundle.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const USAGE = 'airlock keys create <user id> --name <name> [--days <n>] | revoke <key id> | generate-signing <file>';

export async function keysCommand(options: Options, terminal: Terminal): Promise<void> {
  const [verb, subject, ...more] = options.words;
  if (subject === undefined || more.length > 0) throw new UsageError(USAGE);
  switch (verb) {
    case 'create':
      return createKey(subject, options, terminal);
    case 'revoke':
      return revokeKey(subject, options, terminal);
    case 'generate-signing':
      return generateSigningKey(subject, options, terminal);
    default:
      throw new UsageError(USAGE);
  }
}

async function createKey(systemuserid: string, options: Options, terminal: Terminal): Promise<void> {
  const { name, days } = options;
  if (name === undefined) throw new UsageError('A key needs a --name by which it can be told from others.');
  if (days !== undefined && !/^\d{1,4}$/.test(days)) throw new UsageError(`--days is a whole number of days, not "${days}".`);
  const body = { systemuserid, name, ...(days !== undefined && { expiresInDays: Number(days) }) };
  const issued = await callApi(await connectionOf(options, terminal), { method: 'POST', path: 'keys', body }, IssuedKey);
  if (options.json) return terminal.print(JSON.stringify(issued));
  terminal.note(`Key ${issued.id}, valid until ${issued.expiresOn}. It is shown this once:`);
  terminal.print(issued.key);
}

async function revokeKey(id: string, options: Options, terminal: Terminal): Promise<void> {
  await callApi(await connectionOf(options, terminal), { method: 'DELETE', path: `keys/${encodeURIComponent(id)}` }, z.undefined());
  terminal.print(options.json ? JSON.stringify({ revoked: id }) : `Key ${id} is revoked.`);
}

/** Needs no server. Never over a file that is there: what it signed could not be signed again. */
async function generateSigningKey(file: string, options: Options, terminal: Terminal): Promise<void> {
  const path = resolve(terminal.cwd, file);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await writeNew(path, String(privateKey.export({ type: 'pkcs8', format: 'pem' })), 0o600);
  await writeNew(`${path}.pub`, String(publicKey.export({ type: 'spki', format: 'pem' })), 0o644);
  const about = { privateKey: path, publicKey: `${path}.pub`, fingerprint: fingerprintOf(publicKey) };
  if (options.json) return terminal.print(JSON.stringify(about));
  terminal.print(`${about.fingerprint}\n  private  ${about.privateKey}\n  public   ${about.publicKey}`);
  terminal.note(`An operator registers it: airlock signing-keys add ${about.publicKey} --name <name>`);
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  await writeFile(path, text, { mode, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      error.code === 'EEXIST' ? `${path} is there already; it is not overwritten.` : `${path} cannot be written: ${error.message}`,
    );
  });
}
