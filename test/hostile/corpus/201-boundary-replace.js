// attack: replaces or removes the boundary global
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const before = globalThis.__airlock;
    try { globalThis.__airlock = () => ({ run() {} }); } catch { /* refused */ }
    try { delete globalThis.__airlock; } catch { /* refused */ }
    try { Object.defineProperty(globalThis, '__airlock', { get: () => () => ({}) }); } catch { /* refused */ }
    if (globalThis.__airlock !== before) ctx.tracing.trace('PWNED: the boundary was replaced');
  },
};
