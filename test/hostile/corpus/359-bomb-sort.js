// attack: a comparator that sorts
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const a = Array.from({ length: 1e3 }, (_, i) => i); const f = () => (a.slice().sort(f), 1); a.sort(f);
  },
};
