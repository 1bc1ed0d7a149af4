// attack: replaces then, catch, finally and resolve
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const real = Promise.prototype.then; const seen = [];
    Promise.prototype.then = function (...args) { seen.push(args); return real.apply(this, args); };
    Promise.resolve = (x) => ({ then() {} }); Promise.prototype.constructor = function () { throw new Error('x'); };
    await ctx.organizationService.retrieve('account', '00000000-0000-0000-0000-000000000001');
    for (const [f] of seen) if (typeof f === 'function' && /endExecution|airlock/.test(f.toString())) ctx.tracing.trace('PWNED: a continuation of the runtime');
  },
};
