// attack: catastrophic backtracking
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    /^(a+)+$/.test('a'.repeat(40) + 'b');
  },
};
