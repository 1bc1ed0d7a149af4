// attack: leaves a rejection for the next execution to be blamed for
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    if (!globalThis.left) { globalThis.left = true; let fail; globalThis.fail = new Promise((_, reject) => { fail = reject; }); globalThis.failNow = () => fail(new InvalidPluginExecutionException('PWNED')); Promise.reject(new Error('left')); }
    else globalThis.failNow();
  },
};
