import { type Attributes, actionOfUpdate, type JobAction, type UserId } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import type { Queryable } from '../store/queryable.ts';
import { actOnJobs } from './act-on-jobs.ts';

export interface JobRecordChange {
  readonly id: string;
  readonly actor: UserId;
  readonly rowVersion?: number;
}

/** An ordinary update of `asyncoperation` is a user's action on the job, or it is refused (dataverse-facts §6.3). */
export async function updateJob(tx: Queryable, change: JobRecordChange, attributes: Attributes): Promise<void> {
  const action = actionOfUpdate({
    ...(typeof attributes['statecode'] === 'number' && { statecode: attributes['statecode'] }),
    ...(typeof attributes['statuscode'] === 'number' && { statuscode: attributes['statuscode'] }),
    ...(Object.hasOwn(attributes, 'postponeuntil') && { postponeUntil: millisecondsOf(attributes['postponeuntil']) }),
  });
  if (action === undefined) throw new PlatformError('JOB_STATE_CHANGE_INVALID', { state: 'not one that these values lead out of' });
  await actOnOne(tx, change, action);
}

export async function deleteJob(tx: Queryable, change: JobRecordChange): Promise<void> {
  await actOnOne(tx, change, { kind: 'delete' });
}

async function actOnOne(tx: Queryable, { id, actor, rowVersion }: JobRecordChange, action: JobAction): Promise<void> {
  const [end] = await actOnJobs(tx, {
    ids: [id],
    action,
    actor,
    check: ({ versionnumber }) => {
      if (rowVersion !== undefined && rowVersion !== versionnumber) throw new PlatformError('VERSION_MISMATCH');
    },
  });
  if (end === undefined) throw new PlatformError('RECORD_NOT_FOUND', { table: 'System Job', id });
  if (!end.ok) throw new PlatformError(end.code, { state: end.state });
}

function millisecondsOf(value: unknown): number | null {
  // The column's type was checked: an instant or nothing.
  return typeof value === 'string' ? Date.parse(value) : null;
}
