import { SupportedDeployment } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { SecretKeeper } from '../secrets/secret-keeper.ts';
import type { Queryable } from '../store/queryable.ts';
import { type AuditedCaller, audit, raiseRegistrationVersion } from './audit.ts';
import { changeTransaction } from './change-transaction.ts';
import { type ChangeDependencies, lockStep } from './patch-step.ts';
import { isStorableText } from './plain-text.ts';

const MAX_SECRET_CHARS = 100_000;

/**
 * Sets the secret that only the step's own executions see; empty text removes it. It is stored sealed. There is no way to read it back. "Only
 * ServerOnly supported deployment can have secure configuration" (statement 9).
 */
export async function setSecureConfiguration(
  deps: Omit<ChangeDependencies, 'metadata'> & { readonly secrets: SecretKeeper },
  stepId: string,
  value: string,
  by: AuditedCaller,
): Promise<void> {
  if (value.length > MAX_SECRET_CHARS || !isStorableText(value)) {
    const problem = `value must be text of at most ${MAX_SECRET_CHARS} characters without NUL or half of a surrogate pair.`;
    throw new PlatformError('INVALID_ARGUMENT', { problem });
  }
  await changeTransaction(deps.db, async (tx) => {
    const step = await lockStep(tx, stepId);
    if (value !== '' && step.supportedDeployment !== SupportedDeployment.ServerOnly) {
      throw new PlatformError('SECURE_CONFIGURATION_DEPLOYMENT', { step: step.name });
    }
    await replaceSecret(tx, step.id, value === '' ? undefined : await deps.secrets.seal(tx, step.id, value), by);
    // Never the value, nor its length: that it was set is all that anybody may learn.
    const changes = [{ field: 'secureConfiguration', action: value === '' ? 'removed' : step.hasSecureConfiguration ? 'replaced' : 'set' }];
    await audit(tx, by, {
      action: 'set-secure-configuration',
      objectType: 'sdkmessageprocessingstep',
      objectId: step.id,
      objectName: step.name,
      changes,
    });
    await raiseRegistrationVersion(tx);
  });
  deps.changed();
}

/** A row of its own for each value, so that the old one is gone and not kept in a row that is still pointed to. */
async function replaceSecret(tx: Queryable, stepId: string, sealed: string | undefined, by: AuditedCaller): Promise<void> {
  const [old] = await tx.query(sql`
    select sdkmessageprocessingstepsecureconfigid as id from airlock.sdkmessageprocessingstep where sdkmessageprocessingstepid = ${stepId}::uuid`);
  const oldId = z.object({ id: z.string().nullable() }).parse(old).id;
  const newId = sealed === undefined ? null : await insertSecret(tx, sealed);
  await tx.query(sql`
    update airlock.sdkmessageprocessingstep set sdkmessageprocessingstepsecureconfigid = ${newId}::uuid, modifiedon = now(),
      modifiedby = ${by.userId}::uuid, versionnumber = nextval('data.versionnumber')
    where sdkmessageprocessingstepid = ${stepId}::uuid`);
  if (oldId === null) return;
  await tx.query(sql`
    delete from airlock.sdkmessageprocessingstepsecureconfig where sdkmessageprocessingstepsecureconfigid = ${oldId}::uuid`);
}

async function insertSecret(tx: Queryable, sealed: string): Promise<string> {
  const rows = await tx.query(sql`
    insert into airlock.sdkmessageprocessingstepsecureconfig (secureconfig) values (${sealed})
    returning sdkmessageprocessingstepsecureconfigid as id`);
  return z.object({ id: z.string() }).parse(rows[0]).id;
}
