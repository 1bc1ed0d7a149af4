import type { Attributes, AttributeValue, Entity, EntityImage, JsonValue, ParameterCollection } from './entity.ts';

/**
 * How a condition compares; texts without regard to case. `in` and `not-in` take a list.
 *
 * @example
 * { column: 'name', operator: 'begins-with', value: 'Con' }
 */
export type ConditionOperator =
  | 'eq'
  | 'ne'
  | 'gt'
  | 'ge'
  | 'lt'
  | 'le'
  | 'in'
  | 'not-in'
  | 'null'
  | 'not-null'
  | 'contains'
  | 'begins-with'
  | 'ends-with';

/**
 * One condition of a query.
 *
 * @example
 * const open: QueryCondition = { column: 'statecode', operator: 'eq', value: 0 };
 */
export type QueryCondition =
  | { readonly column: string; readonly operator: 'null' | 'not-null' }
  | { readonly column: string; readonly operator: 'in' | 'not-in'; readonly value: readonly AttributeValue[] }
  | { readonly column: string; readonly operator: Exclude<ConditionOperator, 'null' | 'not-null' | 'in' | 'not-in'>; readonly value: AttributeValue };

/**
 * Which rows `retrieveMultiple` answers. All conditions must hold.
 *
 * @example
 * const query: QueryExpression = {
 *   table: 'task',
 *   columns: ['subject'],
 *   conditions: [{ column: 'regardingobjectid', operator: 'eq', value: accountId }],
 *   orderBy: [{ column: 'createdon', descending: true }],
 *   top: 10,
 * };
 */
export interface QueryExpression {
  readonly table: string;
  /** Default: every column. */
  readonly columns?: readonly string[];
  /** At most 64. */
  readonly conditions?: readonly QueryCondition[];
  readonly orderBy?: readonly { readonly column: string; readonly descending?: boolean }[];
  /** 1 to 5000, default 5000. */
  readonly top?: number;
}

/**
 * The rows that a query found.
 *
 * @example
 * const { entities, moreRecords } = await context.organizationService.retrieveMultiple({ table: 'task', top: 50 });
 */
export interface EntityCollection {
  readonly entities: readonly Entity[];
  /** There are more rows than `top` let through. */
  readonly moreRecords: boolean;
}

/**
 * Optimistic concurrency.
 *
 * @example
 * const row = await service.retrieve('account', id, ['versionnumber']);
 * await service.update('account', id, { creditonhold: true }, { rowVersion: Number(row.attributes['versionnumber']) });
 */
export interface WriteOptions {
  /** Only when the row's `versionnumber` is still this one; otherwise a fault with the code 0x80060882. */
  readonly rowVersion?: number;
}

/**
 * Reads and writes records as the step's user. Every call is an operation of its own that runs the whole pipeline, one level deeper;
 * within a transaction it is part of it. Calls count against the step's limits `hostCalls` and `hostCallBytes`.
 *
 * Every method rejects with {@link OrganizationServiceFault} when the operation is refused: a privilege is missing, a row does not
 * exist, a value does not fit, another plug-in rejects it, or the pipeline is nested deeper than 8.
 *
 * @example
 * const taskId = await context.organizationService.create('task', { subject: 'Call back' });
 */
export interface OrganizationService {
  /** @returns The id of the new row. */
  create(table: string, attributes: Readonly<Attributes>): Promise<string>;
  /** @param entity With an id, the row gets that one. */
  create(entity: EntityImage): Promise<string>;
  /** @param columns Default: every column. */
  retrieve(table: string, id: string, columns?: readonly string[]): Promise<Entity>;
  /** Writes the columns that are there and leaves the others. */
  update(table: string, id: string, attributes: Readonly<Attributes>, options?: WriteOptions): Promise<void>;
  update(entity: EntityImage & { readonly id: string }, options?: WriteOptions): Promise<void>;
  delete(table: string, id: string, options?: WriteOptions): Promise<void>;
  retrieveMultiple(query: QueryExpression): Promise<EntityCollection>;
  /** Sends a custom message by name. @returns Its output parameters. */
  execute(message: string, parameters?: ParameterCollection): Promise<{ readonly [key: string]: JsonValue }>;
}
