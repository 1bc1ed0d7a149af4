import { imageViolations } from './image-rules.ts';
import { maximumLimits } from './limits.ts';
import { findMessage, type MessageRule } from './messages.ts';
import { Mode, parseMode } from './mode.ts';
import { parseStepStage, Stage } from './stage.ts';
import { invalid, type RuleViolation, type StepDraft, type StepFacts, type StepTable, unknownColumns } from './step-draft.ts';

/**
 * Which registrations are legal (statements 1 to 9, dataverse-facts §1.2, §1.3 and §11). "Async allowed in PostOperation only";
 * "steps can only be modified in stages 10, 20 and 40"; "only ServerOnly supported deployment can have secure configuration".
 */

/** `sdkmessageprocessingstep.supporteddeployment`. */
export const SupportedDeployment = { ServerOnly: 0, ClientOnly: 1, Both: 2 } as const;

const MAX_NAME_CHARS = 256;
const MAX_INT32 = 2_147_483_647;

/** Every rule that the draft breaks, in the order in which an author would look; empty when it is legal. */
export function checkStep(draft: StepDraft, facts: StepFacts): readonly RuleViolation[] {
  const message = findMessage(draft.messageName);
  const table = draft.primaryTable === undefined ? undefined : facts.tables.get(draft.primaryTable);
  return [
    ...shapeViolations(draft),
    ...messageViolations(draft, message, table),
    ...stageViolations(draft),
    ...filterViolations(draft, message, table),
    ...imageViolations(draft, message, table),
    ...secureConfigurationViolations(draft),
    ...limitViolations(draft),
  ];
}

function shapeViolations(draft: StepDraft): RuleViolation[] {
  const violations: RuleViolation[] = [];
  if (draft.name.trim() === '' || draft.name.length > MAX_NAME_CHARS)
    violations.push(invalid(draft, `a step needs a name of 1 to ${MAX_NAME_CHARS} characters.`));
  if (!Number.isInteger(draft.rank) || Math.abs(draft.rank) > MAX_INT32)
    violations.push(invalid(draft, `the rank must be a 32-bit whole number, not ${draft.rank}.`));
  return violations;
}

function messageViolations(draft: StepDraft, message: MessageRule | undefined, table: StepTable | undefined): RuleViolation[] {
  const { name: step, messageName, primaryTable } = draft;
  if (message === undefined) return [{ code: 'MESSAGE_UNKNOWN', facts: { step, message: messageName } }];
  if (primaryTable !== undefined && table === undefined) return [{ code: 'TABLE_UNKNOWN', facts: { step, table: primaryTable } }];
  const allowed = message.stepsAllowed && table?.customStepsAllowed !== false;
  return allowed ? [] : [{ code: 'STEP_NOT_ALLOWED', facts: { step, message: messageName, table: primaryTable ?? '(every table)' } }];
}

function stageViolations(draft: StepDraft): RuleViolation[] {
  const stage = parseStepStage(draft.stage);
  const mode = parseMode(draft.mode);
  if (stage === undefined) return [{ code: 'STAGE_INVALID', facts: { step: draft.name, stage: draft.stage } }];
  if (mode === undefined) return [invalid(draft, `the mode must be 0 (synchronous) or 1 (asynchronous), not ${draft.mode}.`)];
  return mode === Mode.Asynchronous && stage !== Stage.PostOperation ? [{ code: 'ASYNC_STAGE', facts: { step: draft.name } }] : [];
}

/** On other messages the filter is ignored, not refused (statement 17), so its columns are not looked at either. */
function filterViolations(draft: StepDraft, message: MessageRule | undefined, table: StepTable | undefined): RuleViolation[] {
  if (message?.filtersByColumn !== true || draft.filteringAttributes.length === 0) return [];
  if (draft.primaryTable === undefined) return [invalid(draft, 'filtering attributes need a table.')];
  return table === undefined ? [] : unknownColumns(draft, table, draft.filteringAttributes);
}

function secureConfigurationViolations(draft: StepDraft): RuleViolation[] {
  const { secureConfiguration = '', supportedDeployment = SupportedDeployment.ServerOnly } = draft;
  const refused = secureConfiguration !== '' && supportedDeployment !== SupportedDeployment.ServerOnly;
  return refused ? [{ code: 'SECURE_CONFIGURATION_DEPLOYMENT', facts: { step: draft.name } }] : [];
}

function limitViolations(draft: StepDraft): RuleViolation[] {
  const maxima: Readonly<Record<string, number>> = { ...maximumLimits };
  return Object.entries(draft.limits).flatMap(([limit, value]) => {
    if (value === undefined) return [];
    const maximum = Object.hasOwn(maxima, limit) ? maxima[limit] : undefined;
    if (maximum === undefined) return [invalid(draft, `there is no limit "${limit}"; limits are ${Object.keys(maxima).join(', ')}.`)];
    const minimum = limit === 'hostCalls' ? 0 : 1;
    const legal = Number.isInteger(value) && value >= minimum && value <= maximum;
    return legal ? [] : [invalid(draft, `the limit ${limit} must be a whole number from ${minimum} to ${maximum}, not ${value}.`)];
  });
}
