/**
 * A declaration that cannot be right. `definePlugin` throws it while the bundle loads, so that the push is refused and says where.
 *
 * @example
 * new PluginDeclarationError('steps[0].stage', 'must be "PreValidation", "PreOperation" or "PostOperation", not "Post"');
 */
export class PluginDeclarationError extends TypeError {
  override readonly name = 'PluginDeclarationError';
  /** Path of the wrong part, e.g. `steps[0].stage`. */
  readonly place: string;

  constructor(place: string, problem: string) {
    super(`definePlugin: ${place} ${problem}.`);
    this.place = place;
  }
}
