/** The command line is not understood; nothing was done. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
