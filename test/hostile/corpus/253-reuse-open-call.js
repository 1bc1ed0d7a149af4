// attack: leaves a call open, so that the next execution's answer settles it
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    if (!globalThis.left) { globalThis.left = true; ctx.organizationService.retrieve('account', '00000000-0000-0000-0000-000000000001').then(() => { globalThis.settled = true; }, () => {}); return; }
    await ctx.organizationService.retrieve('account', '00000000-0000-0000-0000-000000000001');
    if (globalThis.settled) ctx.tracing.trace('PWNED: an answer settled the call of another execution');
  },
};
