// attack: hands back numbers and texts that a database chokes on
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    Object.assign(ctx.executionContext.sharedVariables, { big: 1e308, small: 5e-324, zero: -0, nul: '\u0000', lone: '\ud800', key: { '\u0000': 1, '\udfff': 2 } });
  },
};
