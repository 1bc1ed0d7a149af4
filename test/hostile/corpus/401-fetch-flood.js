// attack: as many requests at once as it can make
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const ends = await Promise.allSettled(Array.from({ length: 1000 }, (_, i) => fetch('https://example.test/' + i)));
    if (ends.some((end) => end.status === 'fulfilled')) ctx.tracing.trace('PWNED: a request was made');
  },
};
