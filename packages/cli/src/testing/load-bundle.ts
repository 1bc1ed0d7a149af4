/** Loads a bundle as the guest runtime does: a function of `module` and `exports`, without `require`. Answers its exports. */
export function loadBundle(code: string): Record<string, unknown> {
  const module = { exports: {} as Record<string, unknown> };
  // oxlint-disable-next-line typescript/no-implied-eval -- The text is what this package has just built, and this is how it is meant to be loaded.
  new Function('module', 'exports', code)(module, module.exports);
  return module.exports;
}
