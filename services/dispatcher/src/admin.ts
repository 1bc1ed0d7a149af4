/**
 * Commands for whoever has the database's password: `node src/admin.ts bootstrap-operator` makes the first operator, or a
 * new key for it. The key is printed once, as the last line, and stored as a hash only.
 */
import { sql } from 'drizzle-orm';
import { createUser } from './access/create-user.ts';
import { createKeyStore, defaultKeyStoreOptions } from './access/keys.ts';
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

const [command] = process.argv.slice(2);
const url = process.env['DATABASE_URL'];
if (command !== 'bootstrap-operator' || url === undefined) {
  process.stderr.write('usage: DATABASE_URL=postgres://… node services/dispatcher/src/admin.ts bootstrap-operator\n');
  process.exitCode = 2;
} else await bootstrapOperator(url);
