// attack: throws something unreadable from a timer
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    setTimeout(() => { throw new Proxy({}, { get() { for (;;); }, getPrototypeOf() { for (;;); }, getOwnPropertyDescriptor() { for (;;); } }); }, 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
  },
};
