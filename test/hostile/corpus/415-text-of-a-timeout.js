// attack: throws the text of the engine's timeout
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    throw new Error('Script execution timed out.');
  },
};
