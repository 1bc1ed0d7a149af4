// attack: a number with a billion digits
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    let n = 3n; for (let i = 0; i < 40; i += 1) n *= n; ctx.tracing.trace(String(n).length);
  },
};
