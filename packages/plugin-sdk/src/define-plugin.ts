import { checkDeclaration } from './check-declaration.ts';
import { PluginDeclarationError } from './declaration-error.ts';
import type { PluginContext } from './plugin-context.ts';
import type { StepDeclaration } from './step-declaration.ts';

/** What an author writes: when the plug-in runs, and what it does. */
export interface PluginDeclaration<Step extends StepDeclaration = StepDeclaration> {
  /** Names the plug-in type; default: the name under which the bundle exports it. */
  readonly typeName?: string;
  /** At most 64. A plug-in without steps is registered by hand. */
  readonly steps?: readonly Step[];
  /**
   * Runs once for each operation that a step matches, and is awaited. Throw {@link InvalidPluginExecutionException} to refuse the
   * operation; anything else that is thrown is an unexpected error.
   */
  execute(context: PluginContext<Step>): void | Promise<void>;
}

/** A plug-in type as the platform finds it among the exports of a bundle. */
export interface Plugin<Step extends StepDeclaration = StepDeclaration> extends PluginDeclaration<Step> {
  readonly kind: 'airlock.plugin';
  readonly steps: readonly Step[];
}

/**
 * Declares a plug-in type. Export the result: the platform takes every export of this kind as a plug-in type.
 *
 * @param declaration Checked at once, then frozen.
 * @returns The same declaration, marked as a plug-in type.
 * @throws {PluginDeclarationError} when a part is missing, unknown or of the wrong shape; it names the part.
 *
 * @example
 * export const creditLimit = definePlugin({
 *   steps: [{ message: 'Update', table: 'account', stage: 'PreOperation', filteringAttributes: ['creditlimit'] }],
 *   execute(context) {
 *     const limit = context.target.attributes['creditlimit'];
 *     if (typeof limit === 'number' && limit > 100_000) throw new InvalidPluginExecutionException('The credit limit is too high.');
 *   },
 * });
 */
export function definePlugin<const Step extends StepDeclaration>(declaration: PluginDeclaration<Step>): Plugin<Step> {
  try {
    checkDeclaration(declaration);
  } catch (error) {
    beginAtDeclaration(error);
    throw error;
  }
  return freezeDeep({ ...declaration, kind: 'airlock.plugin', steps: declaration.steps ?? [] });
}

/** Takes the frames of the SDK off the stack: a refused push names the line of its topmost one, and the author's own is meant. */
function beginAtDeclaration(error: unknown): void {
  // V8 has it and the language does not.
  const { captureStackTrace } = Error as { readonly captureStackTrace?: (target: object, above: unknown) => void };
  if (error instanceof PluginDeclarationError) captureStackTrace?.(error, definePlugin);
}

/** The declaration is at most five levels deep, which `checkDeclaration` has made sure of. */
function freezeDeep<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) freezeDeep(inner);
  return Object.freeze(value);
}
