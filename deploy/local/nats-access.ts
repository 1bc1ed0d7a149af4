/** Who may speak on the bus of one machine: the keys, in files below the state directory, and the list that the server gets. */
import { join } from 'node:path';
import type { NatsConfiguration } from '@airlock/nats/configuration';
import { keyInFile } from '@airlock/nats/keys';
import { workerKeyName } from '@airlock/nats/plan';

export interface NatsAccessOptions {
  readonly directory: string;
  readonly pools: readonly { readonly pool: string; readonly workerIds: readonly string[] }[];
}

export interface NatsAccess {
  readonly configuration: Pick<NatsConfiguration, 'dispatcherKeys' | 'egressKeys' | 'pools'>;
  readonly dispatcherKeyFile: string;
  readonly egressKeyFile: string;
  /** Throws when the worker is none of those that were named. */
  workerKeyFile(pool: string, workerId: string): string;
}

/** Keys that are there stay as they are, so that a restart changes nothing. */
export async function makeNatsAccess({ directory, pools }: NatsAccessOptions): Promise<NatsAccess> {
  const dispatcher = await keyInFile(join(directory, 'dispatcher.nk'));
  const egress = await keyInFile(join(directory, 'egress.nk'));
  const files = new Map<string, string>();
  const withKey = async (pool: string, workerId: string) => {
    const { publicKey, seedFile } = await keyInFile(join(directory, workerKeyName(pool, workerId)));
    files.set(workerKeyName(pool, workerId), seedFile);
    return { workerId, key: publicKey };
  };
  const withKeys = pools.map(async ({ pool, workerIds }) => ({ pool, workers: await Promise.all(workerIds.map((id) => withKey(pool, id))) }));
  return {
    configuration: { dispatcherKeys: [dispatcher.publicKey], egressKeys: [egress.publicKey], pools: await Promise.all(withKeys) },
    dispatcherKeyFile: dispatcher.seedFile,
    egressKeyFile: egress.seedFile,
    workerKeyFile: (pool, workerId) => {
      const file = files.get(workerKeyName(pool, workerId));
      if (file === undefined) throw new RangeError(`the bus knows no worker ${workerId} in the pool ${pool}`);
      return file;
    },
  };
}
