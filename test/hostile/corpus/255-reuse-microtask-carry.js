// attack: an async function of the first execution wakes up in the second
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    if (!globalThis.wake) { let wake; const sleeping = new Promise((resolve) => { wake = resolve; }); globalThis.wake = wake; (async () => { await sleeping; try { await ctx.organizationService.create('account', { name: 'stolen' }); globalThis.stolen = true; } catch { /* dead */ } })(); return; }
    globalThis.wake(); await null; await new Promise((resolve) => setTimeout(resolve, 10));
    if (globalThis.stolen) ctx.tracing.trace('PWNED: a continuation used its dead service');
  },
};
