// attack: thousands of buffers that the heap limit does not see
// must: classified as memory-limit; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const keep = []; for (let i = 0; i < 1e5; i += 1) keep.push(new ArrayBuffer(1e6));
  },
};
