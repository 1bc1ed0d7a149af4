/** What an operator writes: who there is. Keys are files beside each other, made when they are missing. */
import { join } from 'node:path';
import { z } from 'zod';
import { keyInFile } from './keys.ts';
import { type NatsConfiguration, type PublicKey, renderNatsConfiguration } from './render-configuration.ts';

const name = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'may hold letters, digits, _ and -, at most 64');

export const BusPlan = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(1).max(65_535).default(4222),
  serverName: z.string().min(1).max(128).default('airlock'),
  dispatchers: z.array(name).min(1).default(['dispatcher']),
  egress: z.array(name).default(['egress']),
  pools: z
    .array(
      z.strictObject({
        pool: name,
        /** `AIRLOCK_WORKER_ID` of each. */
        workers: z.array(name).default([]),
        /** Names of keys for workers that choose their id themselves: one party, see README.md. */
        sharedKeys: z.array(name).default([]),
      }),
    )
    .min(1),
  tls: z.strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1), caFile: z.string().min(1).optional() }).optional(),
});
export type BusPlan = z.output<typeof BusPlan>;

/** Name of the file with the key of a worker, in the directory of the keys. */
export const workerKeyName = (pool: string, workerId: string) => `worker.${pool}.${workerId}.nk`;

/** The server's configuration for the plan. Keys that are there stay as they are, so that a second time changes nothing. */
export async function configurationOf(plan: BusPlan, keysDirectory: string): Promise<string> {
  const publicKey = async (file: string): Promise<PublicKey> => (await keyInFile(join(keysDirectory, file))).publicKey;
  const publicKeys = (names: readonly string[], file: (each: string) => string) => Promise.all(names.map((each) => publicKey(file(each))));
  const pools: NatsConfiguration['pools'][number][] = [];
  for (const { pool, workers, sharedKeys } of plan.pools) {
    pools.push({
      pool,
      workers: await Promise.all(workers.map(async (workerId) => ({ workerId, key: await publicKey(workerKeyName(pool, workerId)) }))),
      sharedKeys: await publicKeys(sharedKeys, (each) => `pool.${pool}.${each}.nk`),
    });
  }
  const { host, port, serverName, tls } = plan;
  return renderNatsConfiguration({
    host,
    port,
    serverName,
    pools,
    dispatcherKeys: await publicKeys(plan.dispatchers, (each) => `${each}.nk`),
    egressKeys: await publicKeys(plan.egress, (each) => `${each}.nk`),
    ...(tls !== undefined && { tls: { certFile: tls.certFile, keyFile: tls.keyFile, ...(tls.caFile !== undefined && { caFile: tls.caFile }) } }),
  });
}
