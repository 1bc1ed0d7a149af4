// attack: execute is an async generator that never ends
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = { async *execute(ctx) { for (;;) yield await ctx.organizationService.retrieve('account', 'x'); } };
