// attack: keeps its service in a reused isolate
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const { kept } = globalThis; globalThis.kept = ctx.organizationService;
    if (kept) { try { await kept.create('account', { name: 'stolen' }); ctx.tracing.trace('PWNED: a service of an earlier execution lives'); } catch { /* dead */ } }
  },
};
