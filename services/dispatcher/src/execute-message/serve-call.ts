import type { Entity, ExecutionContext, JsonValue, ParameterCollection, StepLimits, UserId } from '@airlock/pipeline';
import { parseUserId, parseUuid } from '@airlock/pipeline';
import { PlatformError, type ServiceFault, ServiceRequest } from '@airlock/protocol';
import type { ServiceReply } from '../bus/run-order.ts';
import type { Table } from '../metadata/table.ts';
import { coerceAttributes } from '../records/coerce-attributes.ts';
import { SYSTEM_USER_ID } from '../store/well-known.ts';
import { type ActingUser, userById } from './acting-user.ts';
import { faultOfError } from './fault-of.ts';
import type { MessageRequest, MessageResponse } from './message.ts';
import type { Operation } from './operation.ts';
import { filterOf } from './service-query.ts';

export interface CallRequest {
  /** `ServiceRequest` JSON, a guest's text. */
  readonly text: string;
  /** The context of the step that calls: parent of the message. */
  readonly parent: ExecutionContext;
  readonly user: ActingUser;
  readonly limits: StepLimits;
  /** Fires when the execution that calls has ended. */
  readonly signal: AbortSignal;
  /** The message in which the step runs. */
  readonly request: Pick<MessageRequest, 'caller' | 'correlationId' | 'requestId'>;
}

/** A service call of a plug-in: a message of its own, one deeper, in the operation's transaction when there is one. Never throws. */
export async function serveCall(op: Operation, call: CallRequest): Promise<ServiceReply> {
  try {
    const asked = parseRequest(call.text);
    const response = await op.runNested(op, await messageOf(op, call, asked));
    if (!response.ok) return refusal(response);
    const text = JSON.stringify(resultOf(asked, response.outputParameters));
    const bytes = Buffer.byteLength(text);
    if (bytes > call.limits.hostCallBytes) {
      const reason = `its answer has ${bytes} bytes, the limit is ${call.limits.hostCallBytes}; ask for fewer columns or rows`;
      throw new PlatformError('SERVICE_CALL_REFUSED', { reason });
    }
    return { ok: true, text };
  } catch (error) {
    return refusal({ ok: false, fault: faultOfError(op, error) });
  }
}

function refusal({ fault }: Extract<MessageResponse, { ok: false }>): ServiceReply {
  const seen: ServiceFault = {
    code: fault.code,
    errorCode: fault.code === '' ? 0 : Number.parseInt(fault.code, 16) | 0,
    message: fault.message,
    httpStatus: fault.httpStatus,
    retriable: fault.retriable,
    traceId: fault.traceId,
  };
  return { ok: false, text: JSON.stringify(seen) };
}

function parseRequest(text: string): ServiceRequest {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw new PlatformError('SERVICE_CALL_REFUSED', { reason: 'it is not JSON' });
  }
  const parsed = ServiceRequest.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new PlatformError('SERVICE_CALL_REFUSED', { reason: `${issue?.path.join('.') ?? 'the request'}: ${issue?.message ?? 'not valid'}` });
}

async function messageOf(op: Operation, call: CallRequest, asked: ServiceRequest): Promise<MessageRequest> {
  const { request, parent } = call;
  const user = await callerOf(op, call, asked.as);
  const { messageName, table, inputParameters } = parametersOf(op, asked);
  return {
    messageName,
    table,
    inputParameters,
    caller: { userId: user.userId, role: user.role, authenticatedUserId: request.caller.authenticatedUserId },
    initiatingUserId: parent.initiatingUserId,
    correlationId: request.correlationId,
    requestId: request.requestId,
    trace: op.trace,
    signal: call.signal,
    parent,
  };
}

async function callerOf(op: Operation, { user }: CallRequest, as: string | undefined): Promise<ActingUser> {
  if (as === undefined) return user;
  if (as === 'SYSTEM') return await userById(op, SYSTEM_USER_ID, 'the service call');
  const userId: UserId | undefined = parseUserId(as);
  if (userId === undefined) throw new PlatformError('SERVICE_CALL_REFUSED', { reason: 'as: neither "SYSTEM" nor the id of a user' });
  return await userById(op, userId, 'the service call');
}

type Parameters = Pick<MessageRequest, 'messageName' | 'table' | 'inputParameters'>;

function parametersOf(op: Operation, asked: ServiceRequest): Parameters {
  if (asked.op === 'execute') throw new PlatformError('NOT_IMPLEMENTED', { what: `the message "${asked.message}"` });
  const table = tableOf(op, asked.table, asked.op);
  switch (asked.op) {
    case 'create': {
      const id = asked.id === undefined ? {} : { id: rowId(asked.id) };
      return {
        messageName: 'Create',
        table,
        inputParameters: { Target: entity(table, { ...id, attributes: coerceAttributes(op.metadata, table, asked.attributes, 'create') }) },
      };
    }
    case 'update': {
      const attributes = coerceAttributes(op.metadata, table, asked.attributes, 'update');
      return { messageName: 'Update', table, inputParameters: { Target: entity(table, { id: rowId(asked.id), attributes }), ...version(asked) } };
    }
    case 'delete':
      return { messageName: 'Delete', table, inputParameters: { Target: reference(table, asked.id), ...version(asked) } };
    case 'retrieve':
      return {
        messageName: 'Retrieve',
        table,
        inputParameters: { Target: reference(table, asked.id), ...(asked.columns !== undefined && { ColumnSet: asked.columns }) },
      };
    case 'retrieveMultiple': {
      const query = {
        ...(asked.columns !== undefined && { columns: asked.columns }),
        ...filterOf(asked.conditions),
        orderBy: asked.orderBy,
        top: asked.top,
      };
      return { messageName: 'RetrieveMultiple', table, inputParameters: { Query: query as unknown as JsonValue } };
    }
    default:
      return asked satisfies never;
  }
}

/** A plug-in works on the operator's tables; of the platform's it may only look up users. */
function tableOf(op: Operation, name: string, what: ServiceRequest['op']): Table {
  const table = op.metadata.tables.get(name);
  const readsUser = name === 'systemuser' && (what === 'retrieve' || what === 'retrieveMultiple');
  if (table === undefined || (table.schema !== 'data' && !readsUser)) throw new PlatformError('TABLE_UNKNOWN', { table: name.slice(0, 64) });
  return table;
}

function rowId(given: string): string {
  const id = parseUuid(given);
  if (id === undefined) throw new PlatformError('SERVICE_CALL_REFUSED', { reason: 'id: not a uuid' });
  return id;
}

function entity(table: Table, row: Omit<Entity, 'logicalName'>): JsonValue {
  // An `Entity` is JSON; its interface only lacks the index signature.
  return { logicalName: table.logicalName, ...row } as unknown as JsonValue;
}

function reference(table: Table, id: string): JsonValue {
  return { logicalName: table.logicalName, id: rowId(id) };
}

function version({ rowVersion }: { readonly rowVersion?: number | undefined }): ParameterCollection {
  return rowVersion === undefined ? {} : { RowVersion: rowVersion };
}

function resultOf(asked: ServiceRequest, outputs: ParameterCollection): JsonValue {
  if (asked.op === 'create') return { id: outputs['id'] ?? null };
  if (asked.op === 'retrieve') return outputs['BusinessEntity'] ?? null;
  if (asked.op !== 'retrieveMultiple') return {};
  const { entities, moreRecords } = outputs['BusinessEntityCollection'] as ParameterCollection;
  return { entities: entities ?? [], moreRecords: moreRecords ?? false };
}
