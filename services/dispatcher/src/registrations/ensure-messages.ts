import { findMessage, messages } from '@airlock/pipeline';
import { sql } from 'drizzle-orm';
import type { Metadata, Table } from '../metadata/table.ts';
import type { Queryable } from '../store/queryable.ts';

/** Rows of `sdkmessage` and `sdkmessagefilter` for all messages and tables; run at start and whenever a table was defined. */
export async function ensureMessages(db: Queryable, metadata: Metadata): Promise<void> {
  const registrable = Object.values(messages).filter(({ stepsAllowed }) => stepsAllowed);
  for (const { name } of registrable) {
    await db.query(sql`insert into airlock.sdkmessage (name, categoryname) values (${name}, 'CRUD') on conflict (name) do nothing`);
  }
  for (const table of metadata.tables.values()) {
    for (const { name } of registrable) await ensureFilter(db, name, table);
  }
}

/** Whether authors may register steps on the pair may change with the table's definition. */
export async function ensureFilter(db: Queryable, messageName: string, table: Table): Promise<void> {
  const allowed = table.customStepsAllowed && findMessage(messageName)?.stepsAllowed === true;
  await db.query(sql`
    insert into airlock.sdkmessagefilter as f (sdkmessageid, primaryobjecttypecode, iscustomprocessingstepallowed)
    select sdkmessageid, ${table.logicalName}, ${allowed}::boolean from airlock.sdkmessage where name = ${messageName}
    on conflict (sdkmessageid, primaryobjecttypecode)
    do update set iscustomprocessingstepallowed = excluded.iscustomprocessingstepallowed, modifiedon = now()
    where f.iscustomprocessingstepallowed <> excluded.iscustomprocessingstepallowed`);
}
