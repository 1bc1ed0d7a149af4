// attack: a hundred thousand rejections that nobody handles
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (let i = 0; i < 1e5; i += 1) Promise.reject(i % 2 ? new Error('PWN') : new Proxy({}, { get() { throw new Error('x'); } }));
  },
};
