// attack: an aggregate of a hundred thousand errors
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    throw new AggregateError(Array.from({ length: 1e5 }, (_, i) => new Error('e' + i)), 'many');
  },
};
