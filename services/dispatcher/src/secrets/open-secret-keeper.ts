import type { Logger } from '@airlock/telemetry';
import { readMasterKeyFile } from './master-key.ts';
import { createSecretKeeper, noMasterKey, type SecretKeeper } from './secret-keeper.ts';

/** Throws when the file is named and cannot be used: a dispatcher that cannot open secrets although it should must not start. */
export async function openSecretKeeper(path: string | undefined, log: Logger): Promise<SecretKeeper> {
  if (path === undefined) {
    log.warn('AIRLOCK_MASTER_KEY_FILE is not set: secure configurations can neither be set nor used');
    return noMasterKey;
  }
  const { keys, exposed } = await readMasterKeyFile(path);
  if (exposed) log.warn({ path }, 'the file of the master key can be read by every user of this machine: chmod 600');
  return createSecretKeeper(keys);
}
