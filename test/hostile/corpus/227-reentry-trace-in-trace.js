// attack: what is traced traces itself
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const again = { get more() { ctx.tracing.trace(again); return 1; }, [Symbol.toPrimitive]() { ctx.tracing.trace(again); return 'x'; }, toString() { ctx.tracing.trace(again); return 'x'; } };
    ctx.tracing.trace(again); ctx.tracing.trace(`${again}`);
  },
};
