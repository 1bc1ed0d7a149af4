/** A pointer to a row. */
export interface EntityReference {
  readonly logicalName: string;
  readonly id: string;
  /** Primary name of the row, where the platform knows it. */
  readonly name?: string;
}

/**
 * The value of one column as the pipeline, the wire and a plug-in see it. Date-times are ISO 8601 strings in UTC with
 * milliseconds (`2026-01-31T12:00:00.000Z`), dates `YYYY-MM-DD`, uuids lower case, choices their number, multi-choices
 * an ascending list of numbers, decimal, money and bigint a number that a double carries exactly (see `docs/decisions`).
 */
export type AttributeValue = string | number | boolean | null | readonly number[] | EntityReference;

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** A row or a part of one, keyed by logical column name. */
export interface Entity {
  readonly logicalName: string;
  readonly id?: string;
  readonly attributes: Attributes;
}

/** What parameters and shared variables may hold: JSON. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type ParameterCollection = { readonly [key: string]: JsonValue };
