// attack: looks for a clock that moves while it computes
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const marks = [Date.now(), performance.now(), new Date().getTime(), Number(new Date())];
    let x = 0; for (let i = 0; i < 2e6; i += 1) x += i;
    const later = [Date.now(), performance.now(), new Date().getTime(), Number(new Date())];
    if (later.some((value, i) => value !== marks[i])) ctx.tracing.trace('PWNED: a clock moved');
  },
};
