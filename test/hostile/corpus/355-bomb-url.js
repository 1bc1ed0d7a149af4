// attack: URLs of megabytes
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (let i = 0; i < 1e4; i += 1) { try { new URL('http://' + 'a.'.repeat(1e6) + 'x/?' + '%41'.repeat(1e6)); } catch { /* refused */ } new URLSearchParams('a=1&'.repeat(1e6)).toString(); }
  },
};
