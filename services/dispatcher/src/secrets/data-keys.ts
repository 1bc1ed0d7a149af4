import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Queryable } from '../store/queryable.ts';
import { decrypt, encrypt, KEY_BYTES, place } from './aes-gcm.ts';
import type { MasterKey } from './master-key.ts';

const DataKeyRow = z.object({ organizationid: z.string(), version: z.number(), wrappedkey: z.string(), masterkeyid: z.string() });
type DataKeyRow = z.output<typeof DataKeyRow>;

/** Seals the secrets of one organization. */
export interface DataKey {
  readonly organizationId: string;
  readonly version: number;
  readonly key: Uint8Array;
}

export type OpenedDataKey =
  | { readonly ok: true; readonly dataKey: DataKey }
  | { readonly ok: false; readonly version: number; readonly problem: string };

const wrappedPlace = (row: Omit<DataKeyRow, 'wrappedkey'>) => place('airlock data key', row.organizationid, row.version, row.masterkeyid);

function unwrap(row: DataKeyRow, masterKeys: readonly MasterKey[]): OpenedDataKey {
  const { version } = row;
  const master = masterKeys.find(({ id }) => id === row.masterkeyid);
  if (master === undefined) {
    const given =
      masterKeys.length === 0 ? 'no master key is configured' : `it is not among the ${masterKeys.length} keys of AIRLOCK_MASTER_KEY_FILE`;
    return { ok: false, version, problem: `its data key is wrapped by the master key ${row.masterkeyid}, and ${given}.` };
  }
  const key = decrypt(master.key, wrappedPlace(row), row.wrappedkey);
  if (key === undefined) return { ok: false, version, problem: `its data key (version ${version}) was changed in the database.` };
  return { ok: true, dataKey: { organizationId: row.organizationid, version, key } };
}

/** All data keys of the organization, the newest last. */
export async function readDataKeys(db: Queryable, masterKeys: readonly MasterKey[]): Promise<readonly OpenedDataKey[]> {
  const rows = await db.query(sql`
    select k.organizationid, k.version, k.wrappedkey, k.masterkeyid from airlock.datakey k join airlock.organization using (organizationid)
    order by k.version`);
  return rows.map((row) => unwrap(DataKeyRow.parse(row), masterKeys));
}

/** Makes the organization's first data key where there is none; two dispatchers at once make one. */
export async function ensureDataKey(tx: Queryable, master: MasterKey): Promise<void> {
  const [organization] = await tx.query(sql`select organizationid from airlock.organization`);
  const unwrapped = { organizationid: z.string().parse(organization?.['organizationid']), version: 1, masterkeyid: master.id };
  const wrapped = encrypt(master.key, wrappedPlace(unwrapped), randomBytes(KEY_BYTES));
  await tx.query(sql`
    insert into airlock.datakey (organizationid, version, wrappedkey, masterkeyid)
    select ${unwrapped.organizationid}::uuid, 1, ${wrapped}, ${master.id} where not exists (select 1 from airlock.datakey)
    on conflict (organizationid, version) do nothing`);
}

/**
 * Rotation of the master key: every data key is opened by whichever key of the file it was wrapped with, and wrapped by the
 * first one. The secrets themselves stay as they are. Throws when one cannot be opened; then nothing has changed.
 */
export async function rewrapDataKeys(tx: Queryable, masterKeys: readonly MasterKey[]): Promise<number> {
  const [first] = masterKeys;
  if (first === undefined) throw new Error('there is no master key to wrap with.');
  const rows = await tx.query(sql`select organizationid, version, wrappedkey, masterkeyid from airlock.datakey order by version for update`);
  let rewrapped = 0;
  for (const raw of rows) {
    const row = DataKeyRow.parse(raw);
    if (row.masterkeyid === first.id) continue;
    const opened = unwrap(row, masterKeys);
    if (!opened.ok) throw new Error(`A secret cannot be taken along: ${opened.problem} Nothing was changed.`);
    const wrapped = encrypt(first.key, wrappedPlace({ ...row, masterkeyid: first.id }), opened.dataKey.key);
    await tx.query(sql`
      update airlock.datakey set wrappedkey = ${wrapped}, masterkeyid = ${first.id}, modifiedon = now()
      where organizationid = ${row.organizationid}::uuid and version = ${row.version}`);
    rewrapped += 1;
  }
  return rewrapped;
}
