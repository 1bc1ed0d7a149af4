// attack: evaluates whatever the service answers
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const row = await ctx.organizationService.retrieve('account', '00000000-0000-0000-0000-000000000001');
    for (const value of [row, row.constructor, row.attributes.constructor]) { try { const p = (value.constructor ?? value).constructor?.('return typeof process !== "undefined" && process')?.(); if (p) ctx.tracing.trace('PWNED: process'); } catch { /* no */ } }
  },
};
