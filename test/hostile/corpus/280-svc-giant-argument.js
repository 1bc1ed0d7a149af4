// attack: an argument of two hundred megabytes
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    await ctx.organizationService.create('account', { name: 'x'.repeat(2e8) });
  },
};
