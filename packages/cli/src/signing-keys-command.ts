import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SigningKey } from '@airlock/protocol';
import { z } from 'zod';
import { callApi } from './call-api.ts';
import { connectionOf } from './connection.ts';
import type { Options } from './options.ts';
import { oneLine } from './plan-text.ts';
import { tableText } from './table-text.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const SigningKeyList = z.object({ value: z.array(SigningKey) });
const MAX_PEM_CHARS = 1_024;

export async function signingKeysCommand(options: Options, terminal: Terminal): Promise<void> {
  const [verb, subject, ...more] = options.words;
  if (verb === 'list' && subject === undefined) return listKeys(options, terminal);
  if (verb === 'add' && subject !== undefined && more.length === 0) return addKey(subject, options, terminal);
  if (verb === 'revoke' && subject !== undefined && more.length === 0) return revokeKey(subject, options, terminal);
  throw new UsageError('airlock signing-keys list | add <public key file> --name <name> | revoke <id>');
}

async function listKeys(options: Options, terminal: Terminal): Promise<void> {
  const { value } = await callApi(await connectionOf(options, terminal), { method: 'GET', path: 'signing-keys' }, SigningKeyList);
  if (options.json) return terminal.print(JSON.stringify(value));
  if (value.length === 0) return terminal.print('There are no signing keys.');
  const rows = value.map((key) => [key.revokedOn === null ? 'valid' : 'revoked', key.name, key.fingerprint, key.createdOn, key.id]);
  terminal.print(tableText([['', 'name', 'fingerprint', 'registered', 'id'], ...rows]));
}

async function addKey(file: string, options: Options, terminal: Terminal): Promise<void> {
  if (options.name === undefined) throw new UsageError('A signing key needs a --name: whose it is, or where it is kept.');
  const path = resolve(terminal.cwd, file);
  const publicKey = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`${path} cannot be read.`);
  });
  // Before it is sent: the wrong one of the two files must not leave this machine.
  if (publicKey.includes('PRIVATE')) throw new UsageError(`${path} is a private key. Give the public one: ${path}.pub.`);
  if (publicKey.length > MAX_PEM_CHARS) throw new UsageError(`${path} is not a public key.`);
  const body = { name: options.name, publicKey };
  const key = await callApi(await connectionOf(options, terminal), { method: 'POST', path: 'signing-keys', body }, SigningKey);
  terminal.print(options.json ? JSON.stringify(key) : `${oneLine(key.name, 256)} is registered: ${key.fingerprint} (id ${key.id}).`);
}

async function revokeKey(id: string, options: Options, terminal: Terminal): Promise<void> {
  await callApi(await connectionOf(options, terminal), { method: 'DELETE', path: `signing-keys/${encodeURIComponent(id)}` }, z.undefined());
  terminal.print(options.json ? JSON.stringify({ revoked: id }) : `Signing key ${id} is revoked.`);
}
