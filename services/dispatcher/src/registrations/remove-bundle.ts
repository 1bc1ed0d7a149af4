import { PlatformError } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { type AuditedCaller, audit, raiseRegistrationVersion } from './audit.ts';
import { changeTransaction } from './change-transaction.ts';
import { lockBundle } from './lock-bundle.ts';
import type { ChangeDependencies } from './patch-step.ts';

/**
 * Removes one version of a bundle, or all of them. "Delete assembly: refused while steps depend on it": steps go by a push
 * that no longer declares them. Nothing is removed when one version is still in use.
 */
export async function removeBundle(
  deps: Omit<ChangeDependencies, 'metadata'>,
  bundle: { readonly name: string; readonly version?: string },
  by: AuditedCaller,
): Promise<void> {
  const { name, version } = bundle;
  await changeTransaction(deps.db, async (tx) => {
    await lockBundle(tx, name);
    const where = version === undefined ? sql`a.name = ${name}` : sql`a.name = ${name} and a.version = ${version}`;
    const [counted] = await tx.query(sql`
      select count(*)::integer as steps from airlock.pluginassembly a join airlock.plugintype t using (pluginassemblyid)
      join airlock.sdkmessageprocessingstep s using (plugintypeid) where ${where}`);
    const { steps } = z.object({ steps: z.number() }).parse(counted);
    if (steps > 0) throw new PlatformError('BUNDLE_IN_USE', { bundle: name, steps });
    const removed = await tx.query(sql`
      delete from airlock.pluginassembly a where ${where} returning a.pluginassemblyid as id, a.version, a.digest`);
    const [first] = removed;
    if (first === undefined) {
      throw new PlatformError('RECORD_NOT_FOUND', { table: 'pluginassembly', id: version === undefined ? name : `${name}@${version}` });
    }
    await audit(tx, by, {
      action: 'remove',
      objectType: 'pluginassembly',
      objectId: z.string().parse(first['id']),
      objectName: name,
      changes: removed,
    });
    await raiseRegistrationVersion(tx);
  });
  deps.changed();
}
