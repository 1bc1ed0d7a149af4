// attack: a promise of a million promises
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    await Promise.allSettled(Array.from({ length: 1e6 }, (_, i) => Promise.resolve(i)));
  },
};
