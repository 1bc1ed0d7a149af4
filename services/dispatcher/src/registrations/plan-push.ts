import type { BundleDigest, RunAs, StepImage } from '@airlock/pipeline';
import type { PlannedChange } from '@airlock/protocol';
import type { RegisteredBundle, RegisteredStep, RegisteredVersion, SettledStep } from './registered-step.ts';
import { undeclared, type WantedStep } from './wanted-step.ts';

/** What a push is about to store. */
export interface Push {
  readonly name: string;
  readonly version: string;
  readonly digest: BundleDigest;
  readonly typeNames: readonly string[];
  readonly steps: readonly WantedStep[];
  /** Fingerprint of the key whose signature was verified. */
  readonly signedBy?: string | undefined;
}

/** What has to be done so that the registrations are as the bundle declares them, and the same for people. */
export interface PushPlan {
  /** `undefined`: the version is to be stored. */
  readonly version: RegisteredVersion | undefined;
  readonly create: readonly SettledStep[];
  readonly update: readonly { readonly registered: RegisteredStep; readonly settled: SettledStep }[];
  readonly remove: readonly RegisteredStep[];
  readonly changes: readonly PlannedChange[];
  readonly warnings: readonly string[];
}

export function planPush(push: Push, registered: RegisteredBundle): PushPlan {
  const before = new Map(registered.steps.map((step) => [step.name, step]));
  const wantedNames = new Set(push.steps.map((step) => step.name));
  const pairs = push.steps.map((step) => ({ registered: before.get(step.name), settled: settle(step, before.get(step.name)) }));
  const remove = registered.steps.filter((step) => !wantedNames.has(step.name));
  const stepChanges = pairs.flatMap((pair) => changesOfStep(pair.settled, pair.registered, push.version));
  const changed = new Set(stepChanges.filter(({ change }) => change.action !== 'unchanged').map(({ step }) => step));
  return {
    version: registered.versions.find(({ version }) => version === push.version),
    create: pairs.filter((pair) => pair.registered === undefined).map((pair) => pair.settled),
    update: pairs.flatMap((pair) =>
      pair.registered !== undefined && changed.has(pair.settled.name) ? [{ registered: pair.registered, settled: pair.settled }] : [],
    ),
    remove,
    changes: [
      changeOfBundle(push, registered),
      ...changesOfTypes(push, registered),
      ...stepChanges.map(({ change }) => change),
      ...remove.map((step): PlannedChange => ({ action: 'delete', what: 'step', name: step.name, differences: [] })),
    ],
    warnings: pairs.flatMap((pair, index) => keptWarnings(push.steps[index], pair.registered)),
  };
}

/** Enabled, rank and configuration are the operator's as long as the author declares nothing for them. */
function settle(step: WantedStep, registered: RegisteredStep | undefined): SettledStep {
  const kept = registered ?? undeclared;
  return {
    ...step,
    rank: step.rank ?? kept.rank,
    enabled: step.enabled ?? kept.enabled,
    configuration: step.configuration ?? kept.configuration,
  };
}

function keptWarnings(step: WantedStep | undefined, registered: RegisteredStep | undefined): string[] {
  if (step === undefined || registered === undefined) return [];
  return (['enabled', 'rank', 'configuration'] as const)
    .filter((field) => step[field] === undefined && registered[field] !== undeclared[field])
    .map((field) => `Step "${step.name}": ${field} was set at the registration and is kept, because the bundle declares none.`);
}

function changeOfBundle(push: Push, { versions }: RegisteredBundle): PlannedChange {
  const current = versions.find(({ isCurrent }) => isCurrent) ?? versions.at(-1);
  if (current === undefined) return { action: 'create', what: 'bundle', name: push.name, differences: [] };
  const same = versions.find(({ version }) => version === push.version);
  const differences = differencesOf(
    { version: current.version, digest: current.digest, signedBy: current.signedBy ?? 'nobody' },
    { version: push.version, digest: push.digest, signedBy: push.signedBy ?? same?.signedBy ?? 'nobody' },
  );
  return { action: differences.length === 0 ? 'unchanged' : 'update', what: 'bundle', name: push.name, differences };
}

/** Types of an older version keep their rows, so nothing is ever planned as deleted here. */
function changesOfTypes(push: Push, { versions }: RegisteredBundle): PlannedChange[] {
  const same = versions.find(({ version }) => version === push.version);
  const latest = versions.at(-1);
  return push.typeNames.map((name): PlannedChange => {
    if (same?.types.has(name)) return { action: 'unchanged', what: 'plugin-type', name, differences: [] };
    if (latest === undefined || !latest.types.has(name)) return { action: 'create', what: 'plugin-type', name, differences: [] };
    return { action: 'update', what: 'plugin-type', name, differences: [{ field: 'version', from: latest.version, to: push.version }] };
  });
}

interface StepChange {
  readonly step: string;
  readonly change: PlannedChange;
}

function changesOfStep(settled: SettledStep, registered: RegisteredStep | undefined, version: string): StepChange[] {
  const aliases = new Set(settled.images.map(({ entityAlias }) => entityAlias));
  const gone = registered?.images.filter(({ entityAlias }) => !aliases.has(entityAlias)) ?? [];
  const changes: PlannedChange[] = [
    registered === undefined
      ? { action: 'create', what: 'step', name: settled.name, differences: [] }
      : changed('step', settled.name, differencesOf(stepFields(registered, registered.bundleVersion), stepFields(settled, version))),
    ...settled.images.map((image) => changeOfImage(settled.name, image, registered)),
    ...gone.map((image): PlannedChange => ({ action: 'delete', what: 'image', name: imageName(settled.name, image), differences: [] })),
  ];
  return changes.map((change) => ({ step: settled.name, change }));
}

function changeOfImage(step: string, image: StepImage, registered: RegisteredStep | undefined): PlannedChange {
  const before = registered?.images.find(({ entityAlias }) => entityAlias === image.entityAlias);
  const name = imageName(step, image);
  if (before === undefined) return { action: 'create', what: 'image', name, differences: [] };
  return changed('image', name, differencesOf(imageFields(before), imageFields(image)));
}

function changed(what: PlannedChange['what'], name: string, differences: PlannedChange['differences']): PlannedChange {
  return { action: differences.length === 0 ? 'unchanged' : 'update', what, name, differences };
}

const imageName = (step: string, image: StepImage) => `${step}: ${image.entityAlias}`;

type Fields = Readonly<Record<string, string>>;

function stepFields(step: SettledStep, version: string): Fields {
  return {
    version,
    type: step.typeName,
    message: step.messageName,
    table: step.primaryTable ?? 'any table',
    stage: String(step.stage),
    mode: String(step.mode),
    rank: String(step.rank),
    filteringAttributes: step.filteringAttributes.join(','),
    runAs: runAsText(step.runAs),
    configuration: step.configuration,
    enabled: String(step.enabled),
    asyncAutoDelete: String(step.asyncAutoDelete),
    orderingKey: step.orderingKey ?? '',
    maxConcurrency: step.maxConcurrency === undefined ? '' : String(step.maxConcurrency),
    priority: String(step.priority),
    limits: JSON.stringify(Object.fromEntries(Object.entries(step.limits).toSorted(([a], [b]) => (a < b ? -1 : 1)))),
    description: step.description,
  };
}

export function runAsText(runAs: RunAs): string {
  switch (runAs.kind) {
    case 'calling-user':
      return 'CallingUser';
    case 'system':
      return 'System';
    case 'user':
      return runAs.userId;
    default:
      return runAs satisfies never;
  }
}

function imageFields(image: StepImage): Fields {
  return {
    imageType: String(image.imageType),
    messageProperty: image.messagePropertyName,
    columns: image.attributes?.join(',') ?? 'every column',
  };
}

const MAX_SHOWN_CHARS = 1_000;

function differencesOf(from: Fields, to: Fields): PlannedChange['differences'] {
  return Object.keys(to)
    .filter((field) => from[field] !== to[field])
    .map((field) => ({ field, from: (from[field] ?? '').slice(0, MAX_SHOWN_CHARS), to: (to[field] ?? '').slice(0, MAX_SHOWN_CHARS) }));
}
