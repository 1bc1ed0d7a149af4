// attack: puts members of the request into what it sends
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const names = { op: 'delete', as: 'SYSTEM', token: 'x', executionId: 'x', callId: 1, version: 99 };
    await ctx.organizationService.create('account', names).catch(() => {});
    await ctx.organizationService.create({ logicalName: 'account', attributes: {}, ...names }).catch(() => {});
    await ctx.organizationService.retrieveMultiple({ table: 'account', ...names }).catch(() => {});
    await ctx.organizationService.retrieve.call(names, 'account', 'x', names).catch(() => {});
  },
};
