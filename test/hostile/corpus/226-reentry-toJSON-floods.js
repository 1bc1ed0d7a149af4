// attack: a toJSON posts more calls than may be made, before its own is counted
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const flood = { toJSON() { for (let i = 0; i < 600; i += 1) ctx.organizationService.delete('account', 'x' + i).catch(() => {}); return 'x'; } };
    await ctx.organizationService.create('account', { name: flood });
  },
};
