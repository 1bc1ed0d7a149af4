// attack: clones of clones
// must: classified as memory-limit; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    let value = { text: 'x'.repeat(1e6) }; for (let i = 0; i < 40; i += 1) value = structuredClone({ a: structuredClone(value), b: structuredClone(value), c: [value] });
  },
};
