// attack: options whose getters never return
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    await fetch('https://example.test/', { get method() { for (;;); } });
  },
};
