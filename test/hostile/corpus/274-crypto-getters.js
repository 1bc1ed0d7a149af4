// attack: algorithms whose getters loop
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    await crypto.subtle.digest({ get name() { for (;;); } }, new Uint8Array(1));
  },
};
