// attack: hands back a value a hundred thousand levels deep
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    let deep = 1; for (let i = 0; i < 1e5; i += 1) deep = [deep]; ctx.executionContext.sharedVariables.deep = deep;
  },
};
