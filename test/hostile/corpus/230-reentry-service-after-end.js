// attack: goes on calling after it has ended
// must: no service call after the outcome; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const go = async () => { for (let i = 0; i < 50; i += 1) { await null; try { await ctx.organizationService.create('account', { name: 'late' + i }); } catch { /* refused */ } } };
    void go(); void go();
    setTimeout(go, 0);
  },
};
