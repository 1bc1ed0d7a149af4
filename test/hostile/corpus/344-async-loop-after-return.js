// attack: goes on in microtasks after it has returned
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    (async () => { for (;;) await null; })();
  },
};
