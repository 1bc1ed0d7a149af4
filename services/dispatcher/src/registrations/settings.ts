import { Settings } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Queryable } from '../store/queryable.ts';
import { type AuditedCaller, audit, raiseRegistrationVersion } from './audit.ts';
import { changeTransaction } from './change-transaction.ts';
import type { ChangeDependencies } from './patch-step.ts';

/** Operations read them from `Registrations`; this is for who wants the stored ones. */
export async function readSettings(db: Queryable): Promise<Settings> {
  return (await readRow(db, sql``)).settings;
}

type SettingsPatch = { readonly [Name in keyof Settings]?: Settings[Name] | undefined };

export async function patchSettings(deps: Omit<ChangeDependencies, 'metadata'>, patch: SettingsPatch, by: AuditedCaller): Promise<Settings> {
  const { before, after } = await changeTransaction(deps.db, async (tx) => {
    const { id, name, settings } = await readRow(tx, sql`for update`);
    const next: Settings = {
      pluginTraceLogSetting: patch.pluginTraceLogSetting ?? settings.pluginTraceLogSetting,
      maxDepth: patch.maxDepth ?? settings.maxDepth,
      requireSignature: patch.requireSignature ?? settings.requireSignature,
    };
    const changes = differences(settings, next);
    if (changes.length === 0) return { before: settings, after: settings };
    await tx.query(sql`
      update airlock.organization set plugintracelogsetting = ${next.pluginTraceLogSetting}, maxdepth = ${next.maxDepth},
        requiresignature = ${next.requireSignature}, versionnumber = nextval('data.versionnumber')`);
    await audit(tx, by, { action: 'patch', objectType: 'organization', objectId: id, objectName: name, changes });
    await raiseRegistrationVersion(tx);
    return { before: settings, after: next };
  });
  if (before !== after) deps.changed();
  return after;
}

function differences(before: Settings, after: Settings) {
  return (['pluginTraceLogSetting', 'maxDepth', 'requireSignature'] as const)
    .filter((field) => before[field] !== after[field])
    .map((field) => ({ field, from: before[field], to: after[field] }));
}

const OrganizationRow = z.object({
  organizationid: z.string(),
  name: z.string(),
  plugintracelogsetting: z.number(),
  maxdepth: z.number(),
  requiresignature: z.boolean(),
});

async function readRow(db: Queryable, lock: ReturnType<typeof sql>): Promise<{ id: string; name: string; settings: Settings }> {
  const [row] = await db.query(sql`
    select organizationid, name, plugintracelogsetting, maxdepth, requiresignature from airlock.organization ${lock}`);
  const { organizationid, name, plugintracelogsetting, maxdepth, requiresignature } = OrganizationRow.parse(row);
  const settings = Settings.parse({ pluginTraceLogSetting: plugintracelogsetting, maxDepth: maxdepth, requireSignature: requiresignature });
  return { id: organizationid, name, settings };
}
