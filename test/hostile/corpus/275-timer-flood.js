// attack: arms as many timers as it can
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    let refused = 0; for (let i = 0; i < 2e5; i += 1) { try { setTimeout(() => {}, i % 50); } catch { refused += 1; } }
    await new Promise((resolve) => queueMicrotask(resolve)); ctx.tracing.trace(refused);
  },
};
