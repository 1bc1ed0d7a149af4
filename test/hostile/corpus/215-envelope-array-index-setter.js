// attack: setters for numbers on Array.prototype
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const seen = [];
    Object.defineProperty(Array.prototype, '0', { set(value) { seen.push(value); }, get() { return undefined; }, configurable: true });
    try { ctx.executionContext.sharedVariables.list = JSON.parse('[1,2]'); ctx.tracing.trace('one', 'two'); await ctx.organizationService.retrieve('account', 'x').catch(() => {}); } finally { delete Array.prototype[0]; }
    for (const value of seen) if (typeof value === 'function' && /native|airlock/.test(String(value))) ctx.tracing.trace('PWNED: a function of the runtime');
  },
};
