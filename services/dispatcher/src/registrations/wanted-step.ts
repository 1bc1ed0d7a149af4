import { ImageType, Mode, type RunAs, Stage, type StepImage, type StepStage, type UserId } from '@airlock/pipeline';
import { cleanText, DeclaredStep, type InspectionResult, PlatformError } from '@airlock/protocol';
import { z } from 'zod';
import { problemOf } from './check-bundle.ts';
import { isPlainName, isStorableText } from './plain-text.ts';

/** A step as the bundle wants it registered. */
export interface WantedStep {
  /** Identity across pushes, unique in the bundle. */
  readonly name: string;
  readonly typeName: string;
  readonly messageName: string;
  readonly primaryTable: string | undefined;
  readonly stage: StepStage;
  readonly mode: Mode;
  readonly filteringAttributes: readonly string[];
  readonly images: readonly StepImage[];
  readonly runAs: RunAs;
  readonly asyncAutoDelete: boolean;
  /** Of asynchronous steps, as in pipeline's `Step`. */
  readonly orderingKey: string | undefined;
  readonly maxConcurrency: number | undefined;
  readonly priority: number;
  readonly limits: Readonly<Record<string, number>>;
  readonly description: string;
  /** What an operator may set too; `undefined` where the author declares nothing, and then the operator's value stays. */
  readonly rank: number | undefined;
  readonly enabled: boolean | undefined;
  readonly configuration: string | undefined;
}

/** What a step has where neither author nor operator said anything. */
export const undeclared = { rank: 1, enabled: true, configuration: '' } as const;

/** A push is one transaction, and every registration waits for it. */
const MAX_STEPS = 1_000;

/** Checks shape only; whether a combination is legal is for the pipeline's step rules. */
export function wantedSteps(types: InspectionResult['types']): WantedStep[] {
  const declared = types.reduce((sum, { steps }) => sum + steps.length, 0);
  if (declared > MAX_STEPS) {
    throw new PlatformError('BUNDLE_MANIFEST_INVALID', { problem: `the bundle declares ${declared} steps, the limit is ${MAX_STEPS}.` });
  }
  const taken = new Set<string>();
  return types.flatMap(({ typeName, steps }) =>
    steps.map((raw, index) => {
      const parsed = DeclaredStep.safeParse(raw);
      if (!parsed.success) throw shapeError(`${typeName}: steps.${index}`, raw, parsed.error, index);
      refuseHazards(`${typeName}: steps.${index}`, parsed.data);
      refuseQueueingOfSynchronous(`${typeName}: steps.${index}`, parsed.data);
      const name = unique(taken, parsed.data.name ?? generatedName(typeName, parsed.data));
      taken.add(name);
      return wanted(name, typeName, parsed.data, new Set(Object.keys(raw as object)));
    }),
  );
}

/** A stage that does not exist or is the platform's own has a code of its own (statement 2). */
function shapeError(step: string, raw: unknown, error: z.ZodError, index: number): PlatformError {
  if (error.issues[0]?.path[0] === 'stage' && typeof raw === 'object' && raw !== null && 'stage' in raw) {
    return new PlatformError('STAGE_INVALID', { step, stage: cleanText(String(JSON.stringify(raw.stage)), 64) });
  }
  return new PlatformError('STEP_INVALID', { step, problem: problemOf(error, `steps.${index}`) });
}

function wanted(name: string, typeName: string, step: DeclaredStep, declared: ReadonlySet<string>): WantedStep {
  return {
    name,
    typeName,
    messageName: step.message,
    primaryTable: step.table,
    stage: Stage[step.stage],
    mode: Mode[step.mode],
    filteringAttributes: [...new Set(step.filteringAttributes)].toSorted(),
    images: step.images.map((image) => ({
      entityAlias: image.alias,
      imageType: ImageType[image.type],
      messagePropertyName: image.messageProperty ?? imageProperty(step.message),
      attributes: image.columns === undefined ? undefined : [...new Set(image.columns)].toSorted(),
    })),
    runAs: runAs(name, step.runAs),
    asyncAutoDelete: step.asyncAutoDelete,
    orderingKey: step.orderingKey,
    maxConcurrency: step.maxConcurrency,
    priority: step.priority,
    limits: step.limits,
    description: step.description,
    rank: declared.has('rank') ? step.rank : undefined,
    enabled: declared.has('enabled') ? step.enabled : undefined,
    configuration: declared.has('configuration') ? step.configuration : undefined,
  };
}

/**
 * The database refuses NUL and half surrogate pairs, and a name with control characters could forge a line of a log. A
 * configuration is the author's own text: it keeps its line ends, and is refused rather than changed.
 */
function refuseHazards(
  step: string,
  { configuration, description, name, message, table, filteringAttributes, images, limits, orderingKey }: DeclaredStep,
): void {
  const names = [name, message, table, orderingKey, ...filteringAttributes, ...Object.keys(limits)];
  const imageNames = images.flatMap((image) => [image.alias, image.messageProperty, ...(image.columns ?? [])]);
  const hazardous = [...names, ...imageNames].find((text) => text !== undefined && !isPlainName(text));
  if (hazardous !== undefined) {
    throw new PlatformError('STEP_INVALID', { step, problem: `${JSON.stringify(hazardous.slice(0, 64))} holds control characters.` });
  }
  if (!isStorableText(configuration) || !isStorableText(description)) {
    throw new PlatformError('STEP_INVALID', { step, problem: 'its configuration or description holds NUL or half of a surrogate pair.' });
  }
}

/** What only a job can have; declared on a synchronous step it would be a promise that nobody keeps. */
function refuseQueueingOfSynchronous(step: string, { mode, orderingKey, maxConcurrency, priority }: DeclaredStep): void {
  if (mode === 'Asynchronous' || (orderingKey === undefined && maxConcurrency === undefined && priority === 0)) return;
  throw new PlatformError('STEP_INVALID', { step, problem: 'orderingKey, maxConcurrency and priority are for asynchronous steps.' });
}

function generatedName(typeName: string, { message, table, stage, mode }: DeclaredStep): string {
  return `${typeName}: ${message} of ${table ?? 'any table'} (${stage}${mode === 'Asynchronous' ? ', async' : ''})`;
}

/** The same step declared twice is two steps (and runs twice): the second gets ` #2`. */
function unique(taken: ReadonlySet<string>, name: string): string {
  let candidate = name;
  for (let number = 2; taken.has(candidate); number += 1) candidate = `${name} #${number}`;
  return candidate;
}

/** The property that carries an image where the author names none: the row that the message is about. */
function imageProperty(message: string): string {
  return message === 'SetState' || message === 'SetStateDynamicEntity' ? 'EntityMoniker' : 'Target';
}

const Uuid = z.uuid();

function runAs(step: string, text: string): RunAs {
  if (text === 'CallingUser') return { kind: 'calling-user' };
  if (text === 'System') return { kind: 'system' };
  const userId = Uuid.safeParse(text);
  if (!userId.success) throw new PlatformError('STEP_INVALID', { step, problem: 'runAs is not CallingUser, System or the uuid of a user.' });
  return { kind: 'user', userId: userId.data.toLowerCase() as UserId };
}
