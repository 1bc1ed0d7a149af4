import { z } from 'zod';
import { callApi } from './call-api.ts';
import { connectionOf } from './connection.ts';
import type { Options } from './options.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const Created = z.object({ systemuserid: z.string() });
const roles = ['user', 'author', 'operator'];

export async function usersCommand(options: Options, terminal: Terminal): Promise<void> {
  const [verb, fullname, ...more] = options.words;
  const { role, email, json } = options;
  if (verb !== 'create' || fullname === undefined || more.length > 0 || role === undefined) {
    throw new UsageError('airlock users create <full name> --role user|author|operator [--email <address>]');
  }
  if (!roles.includes(role)) throw new UsageError(`--role is ${roles.join(', ')}, not "${role}".`);
  const body = { fullname, role, ...(email !== undefined && { internalemailaddress: email }) };
  const { systemuserid } = await callApi(await connectionOf(options, terminal), { method: 'POST', path: 'users', body }, Created);
  terminal.print(json ? JSON.stringify({ systemuserid }) : systemuserid);
}
