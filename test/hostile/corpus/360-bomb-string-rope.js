// attack: flattens a rope of gigabytes
// must: classified as memory-limit; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    let s = 'x'.repeat(1e6); const keep = []; for (let i = 0; i < 1e4; i += 1) { s += s.slice(0, 1e6 + i); keep.push(s.charCodeAt(i)); }
  },
};
