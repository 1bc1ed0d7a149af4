// attack: delays and ids that run code
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    setTimeout(() => {}, { valueOf() { for (;;); } });
  },
};
