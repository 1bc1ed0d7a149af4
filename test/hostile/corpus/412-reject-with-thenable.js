// attack: rejects with a thenable that never settles
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    return Promise.reject({ then() { for (;;); }, get message() { return { toString() { for (;;); } }; } });
  },
};
