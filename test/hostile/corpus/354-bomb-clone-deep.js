// attack: clones a value a million levels deep
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    let deep = {}; for (let i = 0; i < 1e6; i += 1) deep = { deep }; structuredClone(deep);
  },
};
