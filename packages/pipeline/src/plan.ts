import { findMessage } from './messages.ts';
import { Mode } from './mode.ts';
import { Stage } from './stage.ts';
import { ImageType, type Step } from './step.ts';

/**
 * Which steps run for a message, and in which order: stage, then rank ascending, then order of registration, then id
 * (statements 15 to 19). Sorting and grouping happen once, in `indexSteps`; planning touches only the enabled steps of
 * this message on this table, however many others are registered.
 */

/** Columns of an image that at least one step of the plan asked for; `undefined` means every column. */
export interface ImageNeed {
  readonly columns: readonly string[] | undefined;
}

export interface PlannedSteps {
  readonly preValidation: readonly Step[];
  readonly preOperation: readonly Step[];
  /** Synchronous ones. */
  readonly postOperation: readonly Step[];
  /** Become system jobs when the operation commits. */
  readonly asynchronous: readonly Step[];
}

export interface Plan extends PlannedSteps {
  readonly images: {
    /** Pre-image for PreValidation: read before the transaction. `undefined`: no step asks for it. */
    readonly preValidation: ImageNeed | undefined;
    /** Pre-image for the later stages: read inside the transaction, before PreOperation. */
    readonly pre: ImageNeed | undefined;
    readonly post: ImageNeed | undefined;
  };
}

interface TableSteps {
  /** What runs when no filter keeps a step away. */
  readonly whole: Plan;
  /** At least one step has a filter that counts. */
  readonly filtered: boolean;
}

interface MessageSteps {
  /** Every registered step of the message, disabled ones too, in the order of the plan. */
  readonly registered: readonly Step[];
  /** Tables that have steps of their own; their lists hold the steps for every table as well. */
  readonly byTable: ReadonlyMap<string, TableSteps>;
  readonly otherTables: TableSteps;
}

/** Registered steps, grouped and sorted once. Replace it whole when a registration changes. */
export interface StepIndex {
  readonly byMessage: ReadonlyMap<string, MessageSteps>;
}

export interface PlanRequest {
  readonly messageName: string;
  readonly tableName: string;
  /** Of the table. When false nothing runs, not even the steps that are registered for every table (statement 3). */
  readonly customStepsAllowed: boolean;
  /** Logical names of the columns in an Update's target. */
  readonly requestColumns?: readonly string[];
}

const nobody: Plan = {
  preValidation: [],
  preOperation: [],
  postOperation: [],
  asynchronous: [],
  images: { preValidation: undefined, pre: undefined, post: undefined },
};

/** Total, so that the order never depends on the order of the input; by code unit, so that it never depends on a locale. */
function inOrder(a: Step, b: Step): number {
  return a.stage - b.stage || a.rank - b.rank || a.createdOn - b.createdOn || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function filterCounts(step: Step): boolean {
  return step.filteringAttributes.length > 0 && findMessage(step.messageName)?.filtersByColumn === true;
}

function needOf(steps: readonly Step[], which: 'pre' | 'post'): ImageNeed | undefined {
  const unwanted = which === 'pre' ? ImageType.PostImage : ImageType.PreImage;
  const wanted = steps.flatMap((step) => step.images).filter((image) => image.imageType !== unwanted);
  if (wanted.length === 0) return undefined;
  const columns = new Set<string>();
  for (const image of wanted) {
    if (image.attributes === undefined) return { columns: undefined };
    for (const column of image.attributes) columns.add(column);
  }
  return { columns: [...columns].sort() };
}

function planOf(steps: readonly Step[]): Plan {
  if (steps.length === 0) return nobody;
  const preValidation = steps.filter((step) => step.stage === Stage.PreValidation);
  const preOperation = steps.filter((step) => step.stage === Stage.PreOperation);
  const after = steps.filter((step) => step.stage === Stage.PostOperation);
  return {
    preValidation,
    preOperation,
    postOperation: after.filter((step) => step.mode === Mode.Synchronous),
    asynchronous: after.filter((step) => step.mode === Mode.Asynchronous),
    images: { preValidation: needOf(preValidation, 'pre'), pre: needOf([...preOperation, ...after], 'pre'), post: needOf(after, 'post') },
  };
}

function tableSteps(steps: readonly Step[]): TableSteps {
  return { whole: planOf(steps), filtered: steps.some(filterCounts) };
}

function messageSteps(registered: readonly Step[]): MessageSteps {
  const enabled = registered.filter((step) => step.enabled);
  const tables = new Set(enabled.flatMap((step) => (step.primaryTable === undefined ? [] : [step.primaryTable])));
  const byTable = new Map<string, Step[]>([...tables].map((table) => [table, []]));
  const everyTable: Step[] = [];
  for (const step of enabled) {
    if (step.primaryTable !== undefined) byTable.get(step.primaryTable)?.push(step);
    else {
      everyTable.push(step);
      for (const steps of byTable.values()) steps.push(step);
    }
  }
  return {
    registered,
    byTable: new Map([...byTable].map(([table, steps]) => [table, tableSteps(steps)])),
    otherTables: tableSteps(everyTable),
  };
}

export function indexSteps(steps: readonly Step[]): StepIndex {
  const byMessage = Map.groupBy(steps.toSorted(inOrder), (step) => step.messageName);
  return { byMessage: new Map([...byMessage].map(([message, registered]) => [message, messageSteps(registered)])) };
}

/** The step's filter names no column of the request. A value that stays the same counts as present (statement 16). */
function keptAway(step: Step, requestColumns: ReadonlySet<string>): boolean {
  return filterCounts(step) && !step.filteringAttributes.some((column) => requestColumns.has(column));
}

export function planMessage(index: StepIndex, request: PlanRequest): Plan {
  const ofMessage = index.byMessage.get(request.messageName);
  if (ofMessage === undefined || !request.customStepsAllowed) return nobody;
  const { whole, filtered } = ofMessage.byTable.get(request.tableName) ?? ofMessage.otherTables;
  if (!filtered) return whole;
  const columns = new Set(request.requestColumns);
  const candidates = [...whole.preValidation, ...whole.preOperation, ...whole.postOperation, ...whole.asynchronous];
  const running = candidates.filter((step) => !keptAway(step, columns));
  return running.length === candidates.length ? whole : planOf(running);
}

export type SkipReason = 'disabled' | 'filter' | 'other-table' | 'table-without-steps';
export interface SkippedStep {
  readonly step: Step;
  readonly reason: SkipReason;
}

/** For EXPLAIN: every registered step of the message that `planMessage` leaves out, and why. Reads all of them. */
export function explainSkipped(index: StepIndex, request: PlanRequest): readonly SkippedStep[] {
  const columns = new Set(request.requestColumns);
  const reasonOf = (step: Step): SkipReason | undefined => {
    if (step.primaryTable !== undefined && step.primaryTable !== request.tableName) return 'other-table';
    if (!request.customStepsAllowed) return 'table-without-steps';
    if (!step.enabled) return 'disabled';
    return keptAway(step, columns) ? 'filter' : undefined;
  };
  return (index.byMessage.get(request.messageName)?.registered ?? []).flatMap((step) => {
    const reason = reasonOf(step);
    return reason === undefined ? [] : [{ step, reason }];
  });
}
