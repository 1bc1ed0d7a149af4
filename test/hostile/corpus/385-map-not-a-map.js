// attack: a source map that is no JSON
// must: source map of the author; the stack stays as it is or is mapped, and nothing else happens; worker survives; the next execution on the same worker succeeds
module.exports = {
  async execute(ctx) {
     throw new Error('mapped');
  },
};
