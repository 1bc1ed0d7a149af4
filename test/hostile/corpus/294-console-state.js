// attack: makes the console's own memory grow
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (let i = 0; i < 2e5; i += 1) { console.group('x'.repeat(10)); console.count('label' + i); console.time('time' + i); }
    console.log('%s%d%o%j'.repeat(1e4), ...Array.from({ length: 1e4 }, () => ({})));
  },
};
