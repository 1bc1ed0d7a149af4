// attack: hopes that a reused isolate forgets what was used
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (let i = 0; i < 60; i += 1) await ctx.organizationService.retrieve('account', '00000000-0000-0000-0000-000000000001');
  },
};
