import { checkStep } from '@airlock/pipeline';
import { PlatformError, type StepPatch } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import type { Metadata } from '../metadata/table.ts';
import type { Queryable } from '../store/queryable.ts';
import { type AuditedCaller, audit, raiseRegistrationVersion, type Transactional } from './audit.ts';
import { changeTransaction } from './change-transaction.ts';
import { isStorableText } from './plain-text.ts';
import { readRegisteredStep } from './read-registered.ts';
import type { RegisteredStep } from './registered-step.ts';

export interface ChangeDependencies {
  readonly db: Transactional;
  readonly metadata: () => Metadata;
  /** Registrations changed: tell every dispatcher. Called after the commit. */
  readonly changed: () => void;
}

/** Enables or disables a step (statement 14), or sets its rank or configuration; false: it was so already. */
export async function patchStep(deps: ChangeDependencies, stepId: string, patch: StepPatch, by: AuditedCaller): Promise<boolean> {
  if (patch.configuration !== undefined && !isStorableText(patch.configuration)) {
    throw new PlatformError('INVALID_ARGUMENT', { problem: 'configuration holds NUL or half of a surrogate pair.' });
  }
  const changed = await changeTransaction(deps.db, async (tx) => {
    const before = await lockStep(tx, stepId);
    const after = {
      enabled: patch.enabled ?? before.enabled,
      rank: patch.rank ?? before.rank,
      configuration: patch.configuration ?? before.configuration,
    };
    const changes = differences(before, after);
    if (changes.length === 0) return false;
    refuseIllegal({ ...before, ...after }, deps.metadata());
    await tx.query(sql`
      update airlock.sdkmessageprocessingstep set statecode = ${after.enabled ? 0 : 1}, statuscode = ${after.enabled ? 1 : 2}, rank = ${after.rank},
        configuration = ${after.configuration}, modifiedon = now(), modifiedby = ${by.userId}::uuid, versionnumber = nextval('data.versionnumber')
      where sdkmessageprocessingstepid = ${before.id}::uuid`);
    await audit(tx, by, { action: 'patch', objectType: 'sdkmessageprocessingstep', objectId: before.id, objectName: before.name, changes });
    await raiseRegistrationVersion(tx);
    return true;
  });
  if (changed) deps.changed();
  return changed;
}

/** The step as it is until the transaction ends. */
export async function lockStep(tx: Queryable, stepId: string): Promise<RegisteredStep> {
  const missing = new PlatformError('RECORD_NOT_FOUND', { table: 'sdkmessageprocessingstep', id: stepId.slice(0, 64) });
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(stepId)) throw missing;
  await tx.query(sql`
    select 1 from airlock.sdkmessageprocessingstep where sdkmessageprocessingstepid = ${stepId}::uuid for update`);
  const step = await readRegisteredStep(tx, stepId);
  if (step === undefined) throw missing;
  return step;
}

type Patched = Required<StepPatch>;

function differences(before: RegisteredStep, after: Patched) {
  return (['enabled', 'rank', 'configuration'] as const)
    .filter((field) => before[field] !== after[field])
    .map((field) => ({ field, from: before[field], to: after[field] }));
}

/** Switching a step off must always be possible, even when its table has changed under it since. */
function refuseIllegal(step: RegisteredStep, { tables }: Metadata): void {
  if (!step.enabled) return;
  const [violation] = checkStep({ ...step, secureConfiguration: '' }, { tables });
  if (violation !== undefined) throw new PlatformError(violation.code, violation.facts);
}
