// attack: asks for services of what is not a user
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const user of ['SYSTEM', '', null, undefined, {}, [], { toString: () => 'SYSTEM' }, Symbol('x'), 'x'.repeat(1e6), '*', '\n']) { try { await ctx.serviceFor(user).retrieve('account', '00000000-0000-0000-0000-000000000001'); } catch { /* refused */ } }
  },
};
