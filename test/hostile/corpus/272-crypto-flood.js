// attack: as many digests at once as it can ask for
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const data = new Uint8Array(100_000);
    await Promise.allSettled(Array.from({ length: 2000 }, () => crypto.subtle.digest('SHA-512', data)));
  },
};
