// attack: generators that delegate to themselves
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    function* again() { yield* again(); } [...again()];
  },
};
