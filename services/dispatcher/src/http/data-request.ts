import type { CorrelationId, EntityReference, Fault, ParameterCollection, RequestId } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import type { TraceContext } from '@airlock/telemetry';
import type { Caller, MessageRequest, MessageResponse } from '../execute-message/message.ts';
import type { Metadata, Table } from '../metadata/table.ts';
import type { Conditions } from './conditions.ts';
import type { HttpLimits } from './limits.ts';
import type { Preferences } from './preferences.ts';

/** One request to the Web API, read but not yet understood. */
export interface DataRequest {
  readonly method: string;
  /** Absolute URL of the service root, ending in a slash: `https://host/api/data/v9.2/`. */
  readonly root: string;
  readonly options: ReadonlyMap<string, string>;
  readonly body: Buffer | undefined;
  readonly preferences: Preferences;
  readonly conditions: Conditions;
  readonly caller: Caller;
  readonly correlationId: CorrelationId;
  readonly requestId: RequestId;
  readonly trace: TraceContext;
}

export interface DataServices {
  readonly executeMessage: (request: MessageRequest) => Promise<MessageResponse>;
  readonly metadata: Metadata;
  readonly organization: OrganizationIds;
  readonly limits: HttpLimits;
}

export interface OrganizationIds {
  readonly organizationId: string;
  readonly businessUnitId: string;
}

/** A fault that the pipeline already worded; it ends the request as it is. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** Runs one message for this request; a fault is thrown. */
export async function runMessage(
  request: DataRequest,
  services: DataServices,
  message: Pick<MessageRequest, 'messageName' | 'table' | 'inputParameters'>,
): Promise<ParameterCollection> {
  const { caller, correlationId, requestId, trace, options } = request;
  const tag = options.get('tag');
  const response = await services.executeMessage({ ...message, caller, correlationId, requestId, trace, ...(tag === undefined ? {} : { tag }) });
  if (!response.ok) throw new FaultError(response.fault);
  return response.outputParameters;
}

/** Entities and references are JSON; TypeScript does not see it because interfaces have no index signature. */
export function parameters(values: Readonly<Record<string, unknown>>): ParameterCollection {
  return values as ParameterCollection;
}

export function referenceTo(table: Table, id: string): EntityReference {
  return { logicalName: table.logicalName, id };
}

export function notImplemented(what: string): PlatformError {
  return new PlatformError('NOT_IMPLEMENTED', { what });
}

export function rowUrl(request: DataRequest, table: Table, id: string): string {
  return `${request.root}${table.entitySetName}(${id})`;
}
