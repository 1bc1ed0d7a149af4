// attack: collections whose iterators never end
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    Map.prototype[Symbol.iterator] = function* () { for (;;) yield [1, 1]; }; Set.prototype[Symbol.iterator] = function* () { for (;;) yield 1; };
    ctx.tracing.trace(new Map([[1, 2]]), new Set([1]));
    Array.prototype[Symbol.iterator] = function* () { for (;;) yield 'x'; };
    ctx.tracing.trace([1, 2, 3]);
  },
};
