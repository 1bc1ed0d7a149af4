/** Roles of a system user; each may do all that those before it may. */
export const roles = ['user', 'author', 'operator'] as const;
export type Role = (typeof roles)[number];
export type Right = 'create' | 'read' | 'write' | 'delete';

export type ColumnType =
  | 'string'
  | 'memo'
  | 'integer'
  | 'bigint'
  | 'decimal'
  | 'float'
  | 'money'
  | 'boolean'
  | 'datetime'
  | 'date'
  | 'uuid'
  | 'choice'
  | 'multichoice'
  | 'lookup';

export interface Choice {
  readonly value: number;
  readonly label: string;
}

export interface Column {
  /** Lower case; also the physical column name. */
  readonly logicalName: string;
  readonly displayName: string;
  readonly type: ColumnType;
  readonly required: boolean;
  /** Set by the platform: refused in payloads. */
  readonly readOnly: boolean;
  /** string and memo: in UTF-16 units, as the platform counts. */
  readonly maxLength?: number;
  /** decimal and money: digits after the point. */
  readonly scale?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  /** choice and multichoice. */
  readonly choices?: readonly Choice[];
  /** lookup: tables it may point to; more than one makes it polymorphic (a second physical column `<name>type` holds the table). */
  readonly targets?: readonly string[];
}

export interface AlternateKey {
  readonly logicalName: string;
  readonly columns: readonly string[];
}

/** A table of the metadata: the operator's (`data`) or the platform's own that people look at (`airlock`). */
export interface Table {
  readonly logicalName: string;
  /** With a capital first letter, e.g. `Account`: shown in errors. */
  readonly displayName: string;
  readonly displayCollectionName: string;
  /** Segment of the Web API, e.g. `accounts`. */
  readonly entitySetName: string;
  readonly primaryIdAttribute: string;
  readonly primaryNameAttribute: string;
  readonly schema: 'data' | 'airlock';
  readonly columns: ReadonlyMap<string, Column>;
  readonly keys: readonly AlternateKey[];
  /** The least role that holds each right; `undefined`: nobody through the pipeline. */
  readonly rights: Readonly<Record<Right, Role | undefined>>;
  /** Whether authors may register steps on it (`sdkmessagefilter.iscustomprocessingstepallowed`). */
  readonly customStepsAllowed: boolean;
}

/** One consistent state of all definitions; replaced whole when a definition changes. */
export interface Metadata {
  readonly version: number;
  readonly tables: ReadonlyMap<string, Table>;
  readonly bySetName: ReadonlyMap<string, Table>;
}
