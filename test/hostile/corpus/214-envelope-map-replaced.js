// attack: Map methods replaced to get at open calls
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const got = [];
    for (const name of ['get', 'set', 'delete', 'forEach', 'has']) { const real = Map.prototype[name]; Map.prototype[name] = function (...args) { got.push(args); return real.apply(this, args); }; }
    await ctx.organizationService.retrieve('account', '00000000-0000-0000-0000-000000000001');
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (got.length > 0) ctx.tracing.trace('PWNED: the runtime used a replaced method');
  },
};
