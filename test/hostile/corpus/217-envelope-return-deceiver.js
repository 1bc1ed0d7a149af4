// attack: the returned value has traps for everything
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    return new Proxy(function () {}, { get(_, key) { if (key === 'then') return undefined; for (;;); }, ownKeys() { for (;;); }, getPrototypeOf() { for (;;); } });
  },
};
