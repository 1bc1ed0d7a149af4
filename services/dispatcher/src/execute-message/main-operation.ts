import type { Attributes, Entity, JsonValue, ParameterCollection, StageState } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import type { Metadata } from '../metadata/table.ts';
import { checkRequired, coerceAttributes } from '../records/coerce-attributes.ts';
import { queryRecords } from '../records/query.ts';
import { retrieveRecord } from '../records/read.ts';
import { parseRecordQuery } from '../records/record-query.ts';
import { createRecord, deleteRecord, recordNotFound, updateRecord } from '../records/write.ts';
import type { Queryable } from '../store/queryable.ts';
import { deleteJob, updateJob } from '../system-jobs/update-job.ts';
import type { MessageRequest } from './message.ts';

export interface MainRequest {
  readonly metadata: Metadata;
  readonly messageName: string;
  readonly table: MessageRequest['table'];
  readonly state: StageState;
  readonly actor: MessageRequest['caller']['userId'];
  /** Columns of the post-image; absent: nobody asked for one. */
  readonly postImage?: readonly string[] | 'all';
}

export interface MainResult {
  readonly outputParameters: ParameterCollection;
  readonly postImage: Entity | undefined;
}

interface TargetParameter {
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The pipeline built the parameters and let a guest change attributes only (`acceptStageState`): the shape is ours. */
function targetOf({ inputParameters }: StageState): TargetParameter {
  return inputParameters['Target'] as unknown as TargetParameter;
}

function rowVersionOf({ inputParameters }: StageState): { rowVersion?: number } {
  const version = inputParameters['RowVersion'];
  return typeof version === 'number' ? { rowVersion: version } : {};
}

/** What PreOperation left of the target is checked like a request: a plug-in has no more rights over a column than a caller. */
function attributesOf({ metadata, table, state }: MainRequest, operation: 'create' | 'update'): Attributes {
  const attributes = coerceAttributes(metadata, table, targetOf(state).attributes, operation);
  checkRequired(table, attributes, operation);
  return attributes;
}

export const JOB_TABLE = 'asyncoperation';

/** Stage 30. Throws `PlatformError`; the caller rolls back. */
export async function mainOperation(db: Queryable, request: MainRequest): Promise<MainResult> {
  const { table, state, actor, messageName } = request;
  const writes = messageName === 'Update' || messageName === 'Delete';
  if (table.logicalName === JOB_TABLE && writes) return await changeJob(db, request);
  const returning = request.postImage === undefined ? {} : { returning: request.postImage };
  switch (request.messageName) {
    case 'Create': {
      const { id } = targetOf(state);
      const written = await createRecord(db, table, { id, attributes: attributesOf(request, 'create') }, actor, returning);
      return { outputParameters: { id: written.id }, postImage: written.entity };
    }
    case 'Update': {
      const record = { id: targetOf(state).id, attributes: attributesOf(request, 'update'), ...rowVersionOf(state) };
      const written = await updateRecord(db, table, record, actor, returning);
      return { outputParameters: {}, postImage: written.entity };
    }
    case 'Delete':
      await deleteRecord(db, table, { id: targetOf(state).id, ...rowVersionOf(state) });
      return { outputParameters: {}, postImage: undefined };
    case 'Retrieve': {
      const { id } = targetOf(state);
      const entity = await retrieveRecord(db, table, id, columnSetOf(state));
      if (entity === undefined) throw recordNotFound(table, id);
      return { outputParameters: { BusinessEntity: entity as unknown as JsonValue }, postImage: undefined };
    }
    case 'RetrieveMultiple': {
      const found = await queryRecords(db, request.metadata, table, parseRecordQuery(state.inputParameters['Query']));
      return { outputParameters: { BusinessEntityCollection: found as unknown as JsonValue }, postImage: undefined };
    }
    default:
      throw new PlatformError('MESSAGE_NOT_SUPPORTED', { message: request.messageName, table: table.logicalName });
  }
}

/** What is done to a system job goes through its state machine. */
async function changeJob(db: Queryable, request: MainRequest): Promise<MainResult> {
  const { messageName, state, actor } = request;
  const change = { id: targetOf(state).id, actor, ...rowVersionOf(state) };
  if (messageName === 'Delete') await deleteJob(db, change);
  else await updateJob(db, change, attributesOf(request, 'update'));
  return { outputParameters: {}, postImage: undefined };
}

function columnSetOf({ inputParameters }: StageState): readonly string[] | undefined {
  const columns = inputParameters['ColumnSet'];
  return Array.isArray(columns) ? columns.filter((column): column is string => typeof column === 'string') : undefined;
}
