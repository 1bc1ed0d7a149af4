// attack: signals that depend on signals
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const first = new AbortController(); let last = first.signal; for (let i = 0; i < 1e5; i += 1) last = AbortSignal.any([last]); first.abort();
    for (let i = 0; i < 1e4; i += 1) { try { AbortSignal.timeout(i); } catch { /* too many */ } }
  },
};
