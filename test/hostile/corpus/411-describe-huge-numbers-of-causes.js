// attack: every cause has a message of megabytes
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    let e = new Error('x'.repeat(1e6)); for (let i = 0; i < 50; i += 1) e = new Error('y'.repeat(1e6), { cause: e }); throw e;
  },
};
