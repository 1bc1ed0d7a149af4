// attack: a stack that looks like the host
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const e = new Error('x'); e.stack = 'Error: x\n    at boundary (airlock:guest-runtime:1:1)\n    at process.kill (node:internal/process:1:1)\n'.repeat(1000) + '\u001b[31m\u202e'; throw e;
  },
};
