// attack: a getter in the arguments makes further calls while its own is being checked
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    let depth = 0;
    const row = () => ({ get name() { depth += 1; if (depth < 2000) ctx.organizationService.create('account', row()).catch(() => {}); return 'x'; } });
    await ctx.organizationService.create('account', row()).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
  },
};
