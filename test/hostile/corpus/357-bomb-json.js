// attack: parses and writes endless text
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    JSON.parse('[' + '['.repeat(1e6) + ']'.repeat(1e6) + ']', function (k, v) { return { v, w: [v, v, v] }; }); const o = { get o() { return { o: this.o }; } }; JSON.stringify(o);
  },
};
