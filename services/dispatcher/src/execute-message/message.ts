import type { CorrelationId, ExecutionContext, Fault, ParameterCollection, RequestId, UserId } from '@airlock/pipeline';
import type { TraceContext } from '@airlock/telemetry';
import type { Role, Table } from '../metadata/table.ts';

/** Who asks: the user whose privileges count, and the one who is really signed in. */
export interface Caller {
  readonly userId: UserId;
  readonly role: Role;
  readonly authenticatedUserId: UserId;
}

/**
 * A message as the pipeline takes it. Input parameters by message:
 * Create `{Target: Entity}`; Update `{Target: Entity with id, RowVersion?: number}`; Delete `{Target: EntityReference, RowVersion?}`;
 * Upsert `{Target: Entity with id}` (runs as Create or Update); Retrieve `{Target: EntityReference, ColumnSet?: string[]}`;
 * RetrieveMultiple `{Query: RecordQuery}`. Target attributes are checked and in canonical form (`coerceAttributes`).
 */
export interface MessageRequest {
  readonly messageName: 'Create' | 'Update' | 'Upsert' | 'Delete' | 'Retrieve' | 'RetrieveMultiple';
  readonly table: Table;
  readonly inputParameters: ParameterCollection;
  readonly caller: Caller;
  readonly correlationId: CorrelationId;
  readonly requestId: RequestId;
  readonly trace: TraceContext;
  /** Web API `?tag=`; shows up as the unchangeable shared variable `tag`. */
  readonly tag?: string;
  /** The user who caused it all, when it is not the caller: nested messages keep the first one's. */
  readonly initiatingUserId?: UserId;
  /** Fires when the execution whose service call this is has ended: nothing may begin any more. */
  readonly signal?: AbortSignal;
  /** The step whose service call this is. */
  readonly parent?: ExecutionContext;
}

/**
 * Output parameters by message: Create `{id}`; Update, Delete `{}`; Upsert `{id, created: boolean}`; Retrieve
 * `{BusinessEntity: Entity}`; RetrieveMultiple `{BusinessEntityCollection: {entities: Entity[], moreRecords, totalRecordCount}}`.
 */
export type MessageResponse =
  | { readonly ok: true; readonly outputParameters: ParameterCollection; readonly traceId: string }
  | { readonly ok: false; readonly fault: Fault };
