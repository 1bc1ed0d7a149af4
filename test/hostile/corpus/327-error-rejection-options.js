// attack: a rejection with options that run code
// must: classified as business-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    throw new InvalidPluginExecutionException('stop', { get status() { return { valueOf() { for (;;); } }; }, httpStatus: { toString() { for (;;); } }, get errorCode() { return 2 ** 70; }, cause: new Proxy({}, { get() { throw 1; } }) });
  },
};
