// attack: values that lie about themselves
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    ctx.tracing.trace(new Proxy({}, { ownKeys: () => Array.from({ length: 1e5 }, (_, i) => 'k' + i), getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }) }));
    ctx.tracing.trace(new Proxy([], { get: (t, k) => (k === 'length' ? 2 ** 53 - 1 : k === Symbol.iterator ? undefined : 1) }));
  },
};
