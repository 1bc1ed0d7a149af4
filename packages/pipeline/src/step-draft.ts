export interface ImageDraft {
  readonly entityAlias: string;
  readonly imageType: number;
  readonly messagePropertyName: string;
  /** `undefined`: every column. */
  readonly attributes: readonly string[] | undefined;
}

/** A registration as somebody asks for it: numbers and names are still anybody's. A `Step` fits. */
export interface StepDraft {
  readonly name: string;
  readonly messageName: string;
  readonly primaryTable: string | undefined;
  readonly stage: number;
  readonly mode: number;
  readonly rank: number;
  readonly filteringAttributes: readonly string[];
  readonly images: readonly ImageDraft[];
  readonly secureConfiguration?: string;
  /** Server only when absent. */
  readonly supportedDeployment?: number;
  readonly limits: Readonly<Record<string, number | undefined>>;
}

export interface StepTable {
  readonly columns: { has(name: string): boolean };
  readonly customStepsAllowed: boolean;
}

/** What the rules look up; the dispatcher's metadata fits. */
export interface StepFacts {
  readonly tables: { get(name: string): StepTable | undefined };
}

export interface RuleViolation {
  /** Of the 'Registrations' section of protocol's error registry. */
  readonly code:
    | 'ASYNC_STAGE'
    | 'STAGE_INVALID'
    | 'STEP_NOT_ALLOWED'
    | 'MESSAGE_UNKNOWN'
    | 'TABLE_UNKNOWN'
    | 'IMAGE_TYPE_INVALID'
    | 'POST_IMAGE_STAGE'
    | 'IMAGE_NOT_SUPPORTED'
    | 'IMAGE_PROPERTY_INVALID'
    | 'IMAGE_ALIAS_DUPLICATE'
    | 'SECURE_CONFIGURATION_DEPLOYMENT'
    | 'STEP_COLUMN_UNKNOWN'
    | 'STEP_INVALID';
  readonly facts: Readonly<Record<string, string | number>>;
}

export function invalid(draft: StepDraft, problem: string): RuleViolation {
  return { code: 'STEP_INVALID', facts: { step: draft.name, problem } };
}

export function unknownColumns(draft: StepDraft, table: StepTable, columns: readonly string[]): RuleViolation[] {
  const missing = [...new Set(columns)].filter((column) => !table.columns.has(column));
  return missing.map((column) => ({ code: 'STEP_COLUMN_UNKNOWN', facts: { step: draft.name, table: draft.primaryTable ?? '', column } }));
}
