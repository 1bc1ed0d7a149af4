// attack: a million lines
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (let i = 0; i < 1e6; i += 1) ctx.tracing.trace('line ' + i);
  },
};
