// attack: an interval that never ends
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    await new Promise(() => { setInterval(() => ctx.tracing.trace('beat'), 0); });
  },
};
