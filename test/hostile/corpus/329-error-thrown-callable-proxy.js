// attack: throws callables that answer everything
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    throw new Proxy(class {}, { get: (_, key) => (key === 'stack' || key === 'message' || key === 'name' ? { toString() { for (;;); } } : new Proxy({}, {})), apply() { for (;;); } });
  },
};
