import type { MessageRule } from './messages.ts';
import { parseStepStage, Stage } from './stage.ts';
import { ImageType } from './step.ts';
import { type ImageDraft, invalid, type RuleViolation, type StepDraft, type StepTable, unknownColumns } from './step-draft.ts';

/**
 * Which images a step may carry: the table of dataverse-facts §1.3 (in `messages.ts`) and statements 4 to 8. No pre-image of a
 * row that is not there yet, no post-image of one that is gone, none of either on messages that carry no row.
 */
export function imageViolations(draft: StepDraft, message: MessageRule | undefined, table: StepTable | undefined): RuleViolation[] {
  if (draft.images.length === 0 || message === undefined) return [];
  if (message.images === undefined) return [{ code: 'IMAGE_NOT_SUPPORTED', facts: { step: draft.name, message: message.name } }];
  const support = message.images;
  return [...aliasViolations(draft), ...draft.images.flatMap((image) => oneImage(draft, image, { message: message.name, support, table }))];
}

type ImageSupport = NonNullable<MessageRule['images']>;

interface ImageFacts {
  readonly message: string;
  readonly support: ImageSupport;
  readonly table: StepTable | undefined;
}

function oneImage(draft: StepDraft, image: ImageDraft, { message, support, table }: ImageFacts): RuleViolation[] {
  const property = image.messagePropertyName;
  const facts = { step: draft.name, message };
  const ofProperty: RuleViolation[] = support.properties.includes(property)
    ? []
    : [{ code: 'IMAGE_PROPERTY_INVALID', facts: { ...facts, property } }];
  return [...ofProperty, ...typeViolations(draft, image, support, facts), ...columnViolations(draft, image, table)];
}

function typeViolations(draft: StepDraft, { imageType }: ImageDraft, support: ImageSupport, facts: RuleViolation['facts']): RuleViolation[] {
  const known = imageType === ImageType.PreImage || imageType === ImageType.PostImage || imageType === ImageType.Both;
  const wantsPre = imageType !== ImageType.PostImage;
  const wantsPost = imageType !== ImageType.PreImage;
  if (!known || (wantsPre && !support.pre) || (wantsPost && !support.post)) return [{ code: 'IMAGE_TYPE_INVALID', facts }];
  const early = parseStepStage(draft.stage) !== Stage.PostOperation;
  return wantsPost && early ? [{ code: 'POST_IMAGE_STAGE', facts: { step: draft.name } }] : [];
}

function columnViolations(draft: StepDraft, { attributes }: ImageDraft, table: StepTable | undefined): RuleViolation[] {
  if (attributes === undefined) return [];
  if (draft.primaryTable === undefined) return [invalid(draft, 'an image with chosen columns needs a table; without one it holds every column.')];
  return table === undefined ? [] : unknownColumns(draft, table, attributes);
}

/** The alias is the key under which a plug-in finds the image (statement 30), so it is a plain name. */
const ALIAS = /^[A-Za-z_][A-Za-z0-9_.-]{0,255}$/;
const hazardousAliases: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

function aliasViolations(draft: StepDraft): RuleViolation[] {
  const aliases = draft.images.map((image) => image.entityAlias);
  const twice = new Set(aliases.filter((alias, at) => aliases.indexOf(alias) !== at));
  const odd = aliases.filter((alias) => !ALIAS.test(alias) || hazardousAliases.has(alias));
  return [
    ...[...twice].map((alias): RuleViolation => ({ code: 'IMAGE_ALIAS_DUPLICATE', facts: { step: draft.name, alias } })),
    ...odd.map((alias) =>
      invalid(draft, `${JSON.stringify(alias)} cannot be the alias of an image: use letters, digits, _ . and -, starting with a letter.`),
    ),
  ];
}
