import { PlatformError } from '@airlock/protocol';
import type { Queryable } from '../store/queryable.ts';
import { ensureDataKey, readDataKeys } from './data-keys.ts';
import type { MasterKey } from './master-key.ts';
import { type OpenedSecret, openSecret, sealSecret } from './seal.ts';

/** The only way from a secure configuration to what is stored, and back. */
export interface SecretKeeper {
  /** Throws `MASTER_KEY_MISSING` when nothing can be sealed so that it can be opened again. */
  seal(tx: Queryable, stepId: string, text: string): Promise<string>;
  /** Opens secrets with the data keys as they are now. */
  opener(db: Queryable): Promise<(stepId: string, sealed: string) => OpenedSecret>;
}

export function createSecretKeeper(masterKeys: readonly MasterKey[]): SecretKeeper {
  return {
    async seal(tx, stepId, text) {
      const [first] = masterKeys;
      if (first === undefined) throw new PlatformError('MASTER_KEY_MISSING', { problem: 'no master key is configured.' });
      await ensureDataKey(tx, first);
      const newest = (await readDataKeys(tx, masterKeys)).at(-1);
      if (newest?.ok !== true) throw new PlatformError('MASTER_KEY_MISSING', { problem: newest?.problem ?? 'there is no data key.' });
      return sealSecret(newest.dataKey, stepId, text);
    },
    async opener(db) {
      const dataKeys = await readDataKeys(db, masterKeys);
      return (stepId, sealed) => openSecret(dataKeys, stepId, sealed);
    },
  };
}

/** Seals nothing and opens nothing. */
export const noMasterKey: SecretKeeper = createSecretKeeper([]);
