// attack: hands back a proxy with endless keys
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    ctx.executionContext.sharedVariables.trap = new Proxy({}, { ownKeys() { for (;;); } });
  },
};
