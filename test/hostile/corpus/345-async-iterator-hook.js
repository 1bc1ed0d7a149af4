// attack: async iteration over itself
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const endless = { [Symbol.asyncIterator]: () => ({ next: async () => ({ value: endless, done: false }) }) };
    for await (const x of endless) void x;
  },
};
