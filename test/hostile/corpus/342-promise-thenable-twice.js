// attack: a thenable that settles in both ways, many times
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    return { then(resolve, reject) { for (let i = 0; i < 1e4; i += 1) { resolve(i); reject(new Error('no')); } throw new Error('no'); } };
  },
};
