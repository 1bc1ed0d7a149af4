import { BundleSummary, type StepSummary } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Queryable } from '../store/queryable.ts';
import { listOf, StepRow, stepSelect } from './step-row.ts';

/** More than anybody registers; a list that is longer is a query of the Web API. */
const MAX_ROWS = 10_000;

/** In the order in which they would run. */
export async function listSteps(db: Queryable): Promise<readonly StepSummary[]> {
  const rows = await db.query(sql`
    select * from (${stepSelect}) known order by messagename, primarytable nulls first, stage, mode, rank, createdms, id limit ${MAX_ROWS}`);
  return rows.map((row) => summaryOf(StepRow.parse(row)));
}

function summaryOf(row: StepRow): StepSummary {
  return {
    id: row.id,
    name: row.name,
    message: row.messagename,
    table: row.primarytable,
    stage: row.stage,
    mode: row.mode,
    rank: row.rank,
    filteringAttributes: listOf(row.filteringattributes),
    enabled: row.statecode === 0,
    bundle: row.bundlename,
    version: row.bundleversion,
    typeName: row.typename,
  };
}

export async function listBundles(db: Queryable): Promise<readonly BundleSummary[]> {
  const rows = await db.query(sql`
    select a.pluginassemblyid as id, a.name, a.version, a.digest, a.description, a.iscurrent as "isCurrent", a.stateless, a.size,
      a.createdon as "uploadedOn", a.uploadedby as "uploadedBy", k.name as "signedBy",
      (select count(*)::integer from airlock.plugintype t join airlock.sdkmessageprocessingstep s using (plugintypeid)
        where t.pluginassemblyid = a.pluginassemblyid) as steps
    from airlock.pluginassembly a left join airlock.signingkey k using (signingkeyid)
    order by a.name, a.createdon desc, a.pluginassemblyid limit ${MAX_ROWS}`);
  return rows.map((row) => BundleSummary.parse(row));
}

const PluginTypeSummary = z.object({ id: z.string(), typeName: z.string(), bundle: z.string(), version: z.string(), steps: z.number() });
export type PluginTypeSummary = z.output<typeof PluginTypeSummary>;

export async function listPluginTypes(db: Queryable): Promise<readonly PluginTypeSummary[]> {
  const rows = await db.query(sql`
    select t.plugintypeid as id, t.typename as "typeName", a.name as bundle, a.version,
      (select count(*)::integer from airlock.sdkmessageprocessingstep s where s.plugintypeid = t.plugintypeid) as steps
    from airlock.plugintype t join airlock.pluginassembly a using (pluginassemblyid)
    order by a.name, a.createdon desc, t.typename limit ${MAX_ROWS}`);
  return rows.map((row) => PluginTypeSummary.parse(row));
}
