// attack: decodes and encodes what no heap holds
// must: classified as memory-limit; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const bytes = new Uint8Array(3e7).fill(0xf0); for (let i = 0; i < 1e3; i += 1) { new TextDecoder().decode(bytes); new TextEncoder().encode('\ud800'.repeat(1e7)); atob(btoa('x'.repeat(1e7))); }
  },
};
