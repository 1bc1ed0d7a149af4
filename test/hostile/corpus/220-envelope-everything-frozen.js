// attack: freezes all builtins, then goes on
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const key of Reflect.ownKeys(globalThis)) { let value; try { value = globalThis[key]; } catch { continue; } if (typeof value === 'function' && value.prototype) { Object.freeze(value.prototype); Object.freeze(value); } else if (typeof value === 'object' && value !== null && value !== globalThis) Object.freeze(value); }
    await ctx.organizationService.retrieve('account', '00000000-0000-0000-0000-000000000001');
    await new Promise((resolve) => setTimeout(resolve, 1));
    ctx.tracing.trace('done');
  },
};
