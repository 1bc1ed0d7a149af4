// attack: compiles until the memory is full
// must: classified as memory-limit; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const keep = []; for (let i = 0; ; i += 1) keep.push(new Function('return function f' + i + '(){' + 'var a=1;'.repeat(2000) + '}'), i);
  },
};
