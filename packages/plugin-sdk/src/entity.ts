/**
 * A pointer to a row: the value of a lookup column, and the target of Delete.
 *
 * @example
 * const parent: EntityReference = { logicalName: 'account', id: context.executionContext.primaryEntityId };
 */
export interface EntityReference {
  /** Logical name of the table. */
  logicalName: string;
  /** Primary key: a lower-case uuid. */
  id: string;
  /** Primary name of the row, where the platform knows it. Ignored when written. */
  name?: string;
}

/**
 * The value of one column. Date-times are ISO 8601 strings in UTC with milliseconds (`2026-01-31T12:00:00.000Z`), dates
 * `YYYY-MM-DD`, uuids lower case, choices their number, multi-choices a list of numbers, decimal, money and bigint a number.
 *
 * @example
 * const limit: AttributeValue | undefined = context.target.attributes['creditlimit'];
 * if (typeof limit === 'number') context.tracing.trace(limit);
 */
export type AttributeValue = string | number | boolean | null | readonly number[] | EntityReference;

/**
 * Columns of a row by logical name. A column that is not there was not sent (target) or has no value (image); `null` clears it.
 *
 * @example
 * const attributes: Attributes = { name: 'Contoso', creditlimit: null };
 */
export type Attributes = { [column: string]: AttributeValue };

/**
 * A row, or the part of one that a message carries.
 *
 * @example
 * const task: Entity = { logicalName: 'task', attributes: { subject: 'Call back', regardingobjectid: { logicalName: 'account', id } } };
 */
export interface Entity {
  readonly logicalName: string;
  readonly id?: string;
  readonly attributes: Attributes;
}

/**
 * A row as it was or is: nothing of it can be changed. Columns without a value are not there.
 *
 * @example
 * const before: EntityImage | undefined = context.preImages.before;
 * context.tracing.trace(before?.attributes['creditlimit'] ?? 'no limit');
 */
export interface EntityImage {
  readonly logicalName: string;
  readonly id?: string;
  readonly attributes: Readonly<Attributes>;
}

/**
 * What parameters and shared variables may hold: JSON. Anything else (a Map, a function) does not arrive as it was.
 *
 * @example
 * const found: JsonValue = { duplicates: [id], checkedAt: new Date().toISOString() };
 */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/**
 * Input parameters, output parameters, shared variables.
 *
 * @example
 * context.executionContext.sharedVariables['checked'] = true;
 */
export type ParameterCollection = { [key: string]: JsonValue };

/**
 * Whether a column's value is a lookup.
 *
 * @example
 * const contact = target.attributes['primarycontactid'];
 * if (isEntityReference(contact)) context.tracing.trace(contact.id);
 */
export function isEntityReference(value: unknown): value is EntityReference {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { logicalName, id } = value as Partial<Record<'logicalName' | 'id', unknown>>;
  return typeof logicalName === 'string' && typeof id === 'string';
}

/** A column that has another value after the operation than before it. */
export interface ChangedColumn {
  readonly column: string;
  /** `undefined`: had no value. */
  readonly from: AttributeValue | undefined;
  readonly to: AttributeValue | undefined;
}

/**
 * Columns of `after` whose value differs from the one in `before`. The platform's filtering attributes only ask whether a column was
 * sent; this asks whether it changed. `null` and "not there" are the same: no value.
 *
 * @param before Usually a pre-image; `undefined` stands for a row that did not exist.
 * @param after The target of an Update, or a post-image.
 * @returns In the order of `after`, empty when nothing changed.
 *
 * @example
 * const changes = changedColumns(context.preImages.before, context.target);
 * if (changes.some((change) => change.column === 'creditlimit')) { … }
 */
export function changedColumns(before: Pick<EntityImage, 'attributes'> | undefined, after: Pick<EntityImage, 'attributes'>): ChangedColumn[] {
  const changes: ChangedColumn[] = [];
  for (const [column, to] of Object.entries(after.attributes)) {
    const from = before !== undefined && Object.hasOwn(before.attributes, column) ? before.attributes[column] : undefined;
    if (!isSameValue(from, to)) changes.push({ column, from, to });
  }
  return changes;
}

function isSameValue(left: AttributeValue | undefined, right: AttributeValue | undefined): boolean {
  const [a, b] = [left ?? null, right ?? null];
  if (isEntityReference(a) && isEntityReference(b)) return a.logicalName === b.logicalName && a.id === b.id;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item) => b.includes(item));
  return a === b;
}
