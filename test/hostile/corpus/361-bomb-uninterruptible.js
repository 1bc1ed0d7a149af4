// attack: a builtin that no interrupt reaches, after a call of the host
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    await ctx.organizationService.retrieve('account', '00000000-0000-0000-0000-000000000001');
    Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1);
  },
};
