/**
 * Commands for whoever has the database's password: `node src/admin.ts bootstrap-operator` makes the first operator, or a
 * new key for it. The key is printed once, as the last line, and stored as a hash only.
 */
import { writeFile } from 'node:fs/promises';
import { sql } from 'drizzle-orm';
import { createUser } from './access/create-user.ts';
import { createKeyStore, defaultKeyStoreOptions } from './access/keys.ts';
import { audit } from './registrations/audit.ts';
import { rewrapDataKeys } from './secrets/data-keys.ts';
import { newMasterKey, readMasterKeyFile } from './secrets/master-key.ts';
import { migrate } from './store/migrate.ts';
import { PlatformDatabase } from './store/platform-database.ts';
import { SYSTEM_USER_ID } from './store/well-known.ts';

const OPERATOR_NAME = 'First operator';
const KEY_DAYS = 365;

async function bootstrapOperator(url: string): Promise<void> {
  await migrate({ url });
  await using db = new PlatformDatabase({ url, statementTimeoutMs: 30_000, lockTimeoutMs: 10_000, idleInTransactionTimeoutMs: 60_000 });
  const [known] = await db.query(
    sql`select systemuserid from airlock.systemuser where fullname = ${OPERATOR_NAME} and role = 'operator' and not isdisabled limit 1`,
  );
  const systemuserid =
    known === undefined ? await createUser(db, { fullname: OPERATOR_NAME, role: 'operator' }, SYSTEM_USER_ID) : String(known['systemuserid']);
  await using keys = createKeyStore(db, { ...defaultKeyStoreOptions, nowMs: () => Date.now(), onLastUsedFailed: () => undefined });
  const issued = await keys.issueKey({ systemuserid, name: 'bootstrap', expiresInDays: KEY_DAYS });
  if (issued === undefined) throw new Error('the operator exists but no key could be issued for it');
  process.stdout.write(`${JSON.stringify({ key: issued.key, systemuserid, expiresOn: issued.expiresOn })}\n`);
}

/** Rotation: the new key on the first line of the file, the old one below it; afterwards the old line can go. */
async function rewrapSecrets(url: string): Promise<void> {
  const path = process.env['AIRLOCK_MASTER_KEY_FILE'];
  if (path === undefined) throw new Error('AIRLOCK_MASTER_KEY_FILE is not set.');
  const { keys } = await readMasterKeyFile(path);
  await migrate({ url });
  await using db = new PlatformDatabase({ url, statementTimeoutMs: 30_000, lockTimeoutMs: 10_000, idleInTransactionTimeoutMs: 60_000 });
  const rewrapped = await db.inTransaction(async (tx) => {
    const count = await rewrapDataKeys(tx, keys);
    const by = { userId: SYSTEM_USER_ID, authenticatedUserId: SYSTEM_USER_ID, role: 'operator' } as const;
    const changes = { masterKey: keys[0]?.id, rewrapped: count };
    await audit(tx, by, { action: 'rewrap-data-keys', objectType: 'datakey', objectId: 'all', objectName: 'data keys', changes });
    return count;
  });
  process.stdout.write(`${JSON.stringify({ masterKey: keys[0]?.id, rewrapped })}\n`);
}

/** Never over a file that is there: a lost master key is lost secrets. */
async function generateMasterKey(path: string | undefined): Promise<void> {
  if (path === undefined) throw new Error('generate-master-key needs the path of the new file.');
  await writeFile(path, `${newMasterKey()}\n`, { mode: 0o600, flag: 'wx' });
  process.stdout.write(`${JSON.stringify({ file: path })}\n`);
}

const needsDatabase: Readonly<Record<string, (url: string) => Promise<void>>> = {
  'bootstrap-operator': bootstrapOperator,
  'rewrap-secrets': rewrapSecrets,
};
const [command = '', argument] = process.argv.slice(2);
const url = process.env['DATABASE_URL'];
const work = Object.hasOwn(needsDatabase, command) ? needsDatabase[command] : undefined;
if (command === 'generate-master-key') await generateMasterKey(argument);
else if (work !== undefined && url !== undefined) await work(url);
else {
  process.stderr.write(`usage: DATABASE_URL=postgres://… node services/dispatcher/src/admin.ts <command>
  bootstrap-operator          make the first operator, or a new key for it
  generate-master-key <file>  write a new master key of secrets
  rewrap-secrets              wrap all data keys by the first key of AIRLOCK_MASTER_KEY_FILE\n`);
  process.exitCode = 2;
}
