// attack: names with what means something on the bus or in SQL
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const name of ['>', '*', 'a.b.c', '_INBOX.x', '\r\nPUB x 1', 'account"; drop table account; --', '\u0000', '\ud800', 'a'.repeat(1e5), '../../x', '__proto__', 'constructor']) { await ctx.organizationService.retrieve(name, name).catch(() => {}); await ctx.organizationService.execute(name, { [name]: name }).catch(() => {}); await ctx.organizationService.retrieveMultiple({ table: name, columns: [name], conditions: [{ column: name, operator: name, value: name }] }).catch(() => {}); }
  },
};
