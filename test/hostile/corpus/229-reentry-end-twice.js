// attack: ends in several ways at once
// must: classified as business-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    setTimeout(() => { throw new Error('from a timer'); }, 0);
    queueMicrotask(() => { throw new InvalidPluginExecutionException('from a microtask'); });
    Promise.reject(new Error('left alone'));
    await null; await null; await null;
    throw new InvalidPluginExecutionException('from execute');
  },
};
