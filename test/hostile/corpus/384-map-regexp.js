// attack: stack lines that make the frame pattern backtrack
// must: source map of the author; the stack stays as it is or is mapped, and nothing else happens; worker survives; the next execution on the same worker succeeds
module.exports = {
  async execute(ctx) {
    const e = new Error('x'); e.stack = ('    at ' + 'a:1:'.repeat(4000) + '(\n').repeat(1); e.cause = e; throw e;
  },
};
