// attack: names that are never freed
// must: classified as memory-limit; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const o = {}; for (let i = 0; ; i += 1) { o['key' + i] = Symbol.for('s' + i); }
  },
};
