// attack: an argument a hundred thousand levels deep
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    let deep = 'x'; for (let i = 0; i < 1e5; i += 1) deep = [deep];
    await ctx.organizationService.create('account', { deep });
  },
};
