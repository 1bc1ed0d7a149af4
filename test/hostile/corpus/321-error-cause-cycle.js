// attack: causes in a circle, through getters
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const a = new Error('a'); const b = new Error('b', { cause: a }); a.cause = b; Object.defineProperty(b, 'cause', { get: () => new Error('c', { cause: a }) }); throw a;
  },
};
