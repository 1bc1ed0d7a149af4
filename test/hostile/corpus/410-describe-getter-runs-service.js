// attack: the stack of what is thrown makes service calls
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    throw { get message() { ctx.organizationService.create('account', { name: 'late' }).catch(() => {}); return 'm'; }, get stack() { ctx.tracing.trace('PWN late'); return 's'; }, get cause() { setTimeout(() => {}, 1); return this; } };
  },
};
