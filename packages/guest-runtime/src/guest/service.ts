import { withoutRuntimeFrames } from './describe.ts';
import { type CallEnd, type Execution, makeCall } from './execution.ts';
import {
  captureStackTrace,
  createObject,
  define,
  defineProperty,
  freeze,
  jsonParse,
  jsonStringify,
  SafeError,
  SafePromise,
  SafeTypeError,
} from './primordials.ts';

interface FaultData {
  readonly code?: string;
  readonly errorCode?: number;
  readonly message?: string;
  readonly httpStatus?: number;
  readonly retriable?: boolean;
  readonly traceId?: string;
}

/** A service call that failed. Never a rejection: rethrown as it is, it is an unexpected error, and its text stays with the operator. */
export class OrganizationServiceFault extends SafeError {
  readonly code: string;
  readonly errorCode: number;
  readonly httpStatus: number;
  readonly retriable: boolean;
  readonly traceId: string;

  constructor(fault: FaultData) {
    super(fault.message ?? 'The organization service could not carry out the request.');
    this.code = fault.code ?? '0x80040216';
    this.errorCode = fault.errorCode ?? -2_147_220_970;
    this.httpStatus = fault.httpStatus ?? 500;
    this.retriable = fault.retriable ?? false;
    this.traceId = fault.traceId ?? '';
  }
}

export function installService(): void {
  define(OrganizationServiceFault.prototype, 'name', 'OrganizationServiceFault');
  define(globalThis, 'OrganizationServiceFault', OrganizationServiceFault);
}

type Request = Record<string, unknown>;

function requireText(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw new SafeTypeError(`organizationService: ${what} must be a text that is not empty`);
  return value;
}

function requireObject(value: unknown, what: string): object {
  if (typeof value !== 'object' || value === null) throw new SafeTypeError(`organizationService: ${what} must be an object`);
  return value;
}

function requestOf(op: string, as: string | undefined): Request {
  const request = createObject(null) as Request;
  request['op'] = op;
  if (as !== undefined) request['as'] = as;
  return request;
}

/** Posts a request; the promise is a native one, made by the captured constructor. */
function ask(execution: Execution, request: Request): Promise<unknown> {
  const text = jsonStringify(request);
  // The fault is made when the answer comes, on an empty stack; what helps the author is where the call was made.
  const site = {} as { stack: string };
  captureStackTrace(site, ask);
  return new SafePromise((resolve, reject) => {
    makeCall(execution, 'service', text, (end) => {
      try {
        if (end.kind === 'answer') resolve(end.text === '' ? undefined : jsonParse(end.text));
        else reject(faultOf(end, site.stack));
      } catch (error) {
        reject(error);
      }
    });
  });
}

function faultOf(end: CallEnd, siteStack: string): Error {
  const error = end.kind === 'fault' ? new OrganizationServiceFault(jsonParse(end.text) as FaultData) : new SafeError(end.text);
  const name = end.kind === 'fault' ? 'OrganizationServiceFault' : 'Error';
  // The first line of the site's stack is its own header.
  const frames = withoutRuntimeFrames(siteStack);
  const first = frames.indexOf('\n');
  const stack = `${name}: ${error.message}${first < 0 ? '' : frames.slice(first)}`;
  defineProperty(error, 'stack', { value: stack, writable: true, configurable: true, enumerable: false });
  return error;
}

interface EntityLike {
  readonly logicalName?: unknown;
  readonly id?: unknown;
  readonly attributes?: unknown;
}

interface Query {
  readonly table?: unknown;
  readonly columns?: unknown;
  readonly conditions?: unknown;
  readonly orderBy?: unknown;
  readonly top?: unknown;
}

function fill(request: Request, names: Record<string, unknown>): Request {
  for (const name of ['table', 'id', 'attributes', 'columns', 'rowVersion', 'conditions', 'orderBy', 'top', 'message', 'parameters']) {
    const value = names[name];
    if (value !== undefined) request[name] = value;
  }
  return request;
}

/** The organization service as a plug-in sees it. `as`: undefined is the step's own user. */
export function createService(execution: Execution, as: string | undefined): object {
  const call = (op: string, names: Record<string, unknown>) => ask(execution, fill(requestOf(op, as), names));
  return freeze({
    async create(table: unknown, attributes?: unknown): Promise<unknown> {
      const names =
        typeof table === 'object' && table !== null
          ? entityNames(table)
          : { table: requireText(table, 'table'), attributes: requireObject(attributes, 'attributes') };
      const answer = (await call('create', names)) as { readonly id: string };
      return answer.id;
    },
    async retrieve(table: unknown, id: unknown, columns?: unknown): Promise<unknown> {
      return call('retrieve', { table: requireText(table, 'table'), id: requireText(id, 'id'), columns });
    },
    async update(table: unknown, id?: unknown, attributes?: unknown, options?: { readonly rowVersion?: unknown }): Promise<void> {
      if (typeof table === 'object' && table !== null) {
        const names = entityNames(table);
        await call('update', { ...names, id: requireText(names.id, 'id'), rowVersion: (id as { rowVersion?: unknown } | undefined)?.rowVersion });
        return;
      }
      const names = { table: requireText(table, 'table'), id: requireText(id, 'id'), attributes: requireObject(attributes, 'attributes') };
      await call('update', { ...names, rowVersion: options?.rowVersion });
    },
    async delete(table: unknown, id: unknown, options?: { readonly rowVersion?: unknown }): Promise<void> {
      await call('delete', { table: requireText(table, 'table'), id: requireText(id, 'id'), rowVersion: options?.rowVersion });
    },
    async retrieveMultiple(query: Query): Promise<unknown> {
      const { table, columns, conditions, orderBy, top } = requireObject(query, 'the query') as Query;
      return call('retrieveMultiple', { table: requireText(table, 'query.table'), columns, conditions, orderBy, top });
    },
    async execute(message: unknown, parameters?: unknown): Promise<unknown> {
      return call('execute', {
        message: requireText(message, 'message'),
        parameters: parameters === undefined ? undefined : requireObject(parameters, 'parameters'),
      });
    },
  });
}

function entityNames(entity: EntityLike): { readonly table: string; readonly id: unknown; readonly attributes: object } {
  const { logicalName, id, attributes } = entity;
  return { table: requireText(logicalName, 'logicalName of the entity'), id, attributes: requireObject(attributes, 'attributes of the entity') };
}
