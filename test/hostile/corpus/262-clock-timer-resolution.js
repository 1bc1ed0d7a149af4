// attack: builds a clock from timers and calls
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    let ticks = 0; const interval = setInterval(() => { ticks += 1; }, 0);
    const start = ctx.limits.remaining().ms; let x = 0; for (let i = 0; i < 1e6; i += 1) x += i;
    if (ticks !== 0 || ctx.limits.remaining().ms !== start) ctx.tracing.trace('PWNED: time passed inside');
    clearInterval(interval);
  },
};
