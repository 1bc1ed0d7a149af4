// attack: changes a rejection after it was made
// must: classified as business-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const e = new InvalidPluginExecutionException('first'); e.message = 'PWNED later'; try { Object.defineProperty(e, 'message', { get: () => 'PWNED later' }); } catch { /* fixed */ } throw e;
  },
};
