// attack: a body that no message holds
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    await fetch('https://example.test/', { method: 'POST', body: new Uint8Array(3e7) });
  },
};
