// attack: arms and clears for ever shorter times
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (let i = 0; i < 5000; i += 1) clearTimeout(setTimeout(() => {}, 10000 - i));
  },
};
