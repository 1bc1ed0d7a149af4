import type { BundleDigest, StepId } from '@airlock/pipeline';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Queryable } from '../store/queryable.ts';
import type { RegisteredBundle, RegisteredStep, RegisteredVersion } from './registered-step.ts';
import { imagesOf, listOf, runAsOf, StepRow, stepSelect } from './step-row.ts';

const VersionRow = z.object({
  id: z.string(),
  version: z.string(),
  digest: z.string(),
  stateless: z.boolean(),
  iscurrent: z.boolean(),
  signedby: z.string().nullable(),
  types: z.record(z.string(), z.string()),
});

/** All that the bundle of this name has registered; `steps` are those that it owns, not every step that runs its code. */
export async function readRegistered(db: Queryable, bundleName: string): Promise<RegisteredBundle> {
  const [versions, steps] = await Promise.all([
    db.query(sql`
      select a.pluginassemblyid as id, a.version, a.digest, a.stateless, a.iscurrent, k.fingerprint as signedby,
        coalesce((select json_object_agg(t.typename, t.plugintypeid) from airlock.plugintype t
          where t.pluginassemblyid = a.pluginassemblyid), '{}'::json) as types
      from airlock.pluginassembly a left join airlock.signingkey k using (signingkeyid)
      where a.name = ${bundleName} order by a.createdon, a.pluginassemblyid`),
    db.query(sql`select * from (${stepSelect}) known where known.managedby = ${bundleName} order by known.createdms, known.id`),
  ]);
  return { versions: versions.map((row) => versionOf(VersionRow.parse(row))), steps: steps.map((row) => registeredStepOf(StepRow.parse(row))) };
}

function versionOf({ id, version, digest, stateless, iscurrent, signedby, types }: z.output<typeof VersionRow>): RegisteredVersion {
  // The column only ever gets SHA-256 values.
  const known = digest as BundleDigest;
  return { id, version, digest: known, stateless, isCurrent: iscurrent, signedBy: signedby ?? undefined, types: new Map(Object.entries(types)) };
}

export function registeredStepOf(row: StepRow): RegisteredStep {
  return {
    id: row.id as StepId,
    name: row.name,
    typeName: row.typename,
    messageName: row.messagename,
    primaryTable: row.primarytable ?? undefined,
    stage: row.stage,
    mode: row.mode,
    rank: row.rank,
    filteringAttributes: listOf(row.filteringattributes),
    images: imagesOf(row),
    runAs: runAsOf(row),
    enabled: row.statecode === 0,
    configuration: row.configuration,
    asyncAutoDelete: row.asyncautodelete,
    orderingKey: row.orderingkey ?? undefined,
    maxConcurrency: row.maxconcurrency ?? undefined,
    priority: row.priority,
    limits: row.limits,
    description: row.description,
    bundleVersion: row.bundleversion,
    hasSecureConfiguration: row.hassecret,
    supportedDeployment: row.supporteddeployment,
  };
}

export async function readRegisteredStep(db: Queryable, stepId: string): Promise<RegisteredStep | undefined> {
  const [row] = await db.query(sql`select * from (${stepSelect}) known where known.id = ${stepId}::uuid`);
  return row === undefined ? undefined : registeredStepOf(StepRow.parse(row));
}
