// attack: a then on Object.prototype takes results over
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const seen = [];
    Object.prototype.then = function (resolve) { seen.push(this); delete Object.prototype.then; resolve('taken'); };
    const row = await ctx.organizationService.retrieve('account', '00000000-0000-0000-0000-000000000001');
    delete Object.prototype.then;
    ctx.tracing.trace(typeof row, seen.length);
  },
};
